import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free_port.js';

/** A way to a server that can be cut: then nothing arrives in either direction, and nobody is told. */
export type Network = Awaited<ReturnType<typeof openNetwork>>;

/** Opens a way to a server on this machine. */
export async function openNetwork(port: number, scheme = 'redis:') {
    const sockets = new Set<Socket>();
    let isCut = false;
    const server: Server = createServer({ pauseOnConnect: true }, (near) => {
        const far = connect(port, '127.0.0.1');
        for (const [from, to] of [
            [near, far],
            [far, near],
        ] as const) {
            sockets.add(from);
            from.on('data', (data) => to.write(data));
            from.on('error', () => to.destroy());
            from.on('close', () => {
                sockets.delete(from);
                to.destroy();
            });
            if (isCut) from.pause();
            else from.resume();
        }
    });
    const own = await freePort();
    await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve));
    return {
        url: `${scheme}//127.0.0.1:${own}`,
        /** Loses all that is sent from now on, until it heals. */
        cut() {
            isCut = true;
            for (const socket of sockets) socket.pause();
        },
        /** Lets everything through again, what was held back first. */
        heal() {
            isCut = false;
            for (const socket of sockets) socket.resume();
        },
        async close() {
            for (const socket of sockets) socket.destroy();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
