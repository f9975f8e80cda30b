import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * Measures in a process of its own, so that no contender carries another in its heap, and none its timers.
 *
 * @param module the file, relative to this one
 * @param args its arguments
 * @returns what it sends
 * @throws Error where it ends without
 */
export async function answerOf<Answer>(module: string, ...args: string[]): Promise<Answer> {
    const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
        execArgv: ['--expose-gc', '--no-warnings', '--max-old-space-size=4096'],
        env: { ...process.env, TZ: 'UTC', NODE_ENV: 'test' },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const answer = once(child, 'message').then(([message]) => message as Answer);
    const end = once(child, 'exit').then(([code, signal]): never => {
        throw new Error(`ended with ${code ?? signal}`);
    });
    return Promise.race([answer, end]);
}
