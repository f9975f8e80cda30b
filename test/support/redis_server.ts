import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeFolder } from './app_folder.js';
import { freePort } from './free_port.js';
import { patience } from './pace.js';
import { endWithUs } from './reaper.js';

const BINARY = 'redis-server';

/** How long a Redis may take to start, in milliseconds. */
const DEADLINE = patience(30_000);

/**
 * Whether the tests that need a Redis are left out: the reason, or false. It is said loudly, and where everything has to
 * be tested it is a failure.
 */
export const skipWithoutRedis: string | false = (() => {
    if (spawnSync(BINARY, ['--version']).status === 0) return false;
    const reason = `${BINARY} IS NOT INSTALLED: nothing of the engine "bullmq" is tested (apt-get install redis-server)`;
    if (process.env['CI']) throw new Error(reason);
    console.error(`\n*** ${reason} ***\n`);
    return reason;
})();

/** A Redis of a test's own, on a free port of the loopback interface, with an append-only file. */
export interface RedisServer {
    readonly port: number;
    readonly url: string;
    /** Ends it, as an administrator does, or a power cut (SIGKILL). */
    stop(signal?: NodeJS.Signals): Promise<void>;
    /** Starts it again, with what it had; with other options than at first, where some are given. */
    start(options?: readonly string[]): Promise<void>;
    /** Lets it stand still, or go on: it keeps its connections, and answers nobody. */
    signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** A certificate and its private key, in PEM. */
export interface KeyPair {
    readonly cert: string;
    readonly key: string;
}

/** Starts a Redis. It is gone when the test's process ends, at the latest. */
export async function startRedis(options: readonly string[] = [], tls?: KeyPair): Promise<RedisServer> {
    const { root: folder } = await makeFolder();
    const port = await freePort();
    const listening = tls ? await tlsOptions(folder, port, tls) : ['--port', `${port}`];
    let child: ChildProcess | undefined;
    const server: RedisServer = {
        port,
        url: `redis://127.0.0.1:${port}`,
        async stop(signal = 'SIGTERM') {
            const stopped = child;
            child = undefined;
            if (!stopped) return;
            const ended = new Promise((resolve) => stopped.once('close', resolve));
            stopped.kill('SIGCONT');
            stopped.kill(signal);
            await ended;
        },
        async start(own = options) {
            child = spawn(
                BINARY,
                // biome-ignore format: a name and its value
                ['--bind', '127.0.0.1', ...listening, '--dir', folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction', ...own],
                { stdio: 'ignore' },
            );
            child.once('close', endWithUs(child.pid as number));
            await accepts(port);
        },
        signal: (signal) => void child?.kill(signal),
    };
    await server.start();
    return server;
}

// A client needs no certificate of its own.
async function tlsOptions(folder: string, port: number, { cert, key }: KeyPair): Promise<string[]> {
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
    const own = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile];
    return ['--port', '0', '--tls-port', `${port}`, ...own, '--tls-auth-clients', 'no'];
}

async function accepts(port: number): Promise<void> {
    for (const end = Date.now() + DEADLINE; ; await delay(20)) {
        const socket = createConnection(port, '127.0.0.1');
        try {
            await once(socket, 'connect');
            return;
        } catch {
            if (Date.now() > end) throw new Error(`redis-server did not start on port ${port}`);
        } finally {
            socket.destroy();
        }
    }
}
