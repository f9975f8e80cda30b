import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems give to outgoing connections: one of these would take the port before the test does. */
const FIRST = 12_000;
const LAST = 30_000;

/** Finds a port that is free. */
export async function freePort(): Promise<number> {
    for (;;) {
        const port = randomInt(FIRST, LAST);
        const server = createServer().listen(port, '127.0.0.1');
        try {
            await once(server, 'listening');
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
            continue;
        }
        server.close();
        await once(server, 'close');
        return port;
    }
}
