import { readFileSync } from 'node:fs';
import { PACE } from './pack.js';

/** How long an idle machine takes to start a process of ours, in milliseconds. */
const USUAL_START = 500;

const start = (() => {
    try {
        return Number(readFileSync(PACE, 'utf8')) || USUAL_START;
    } catch {
        return USUAL_START;
    }
})();

/**
 * How long something may take before a test gives it up, in milliseconds: longer where this machine, whatever it is busy
 * with, takes long to start a process. That was measured when the package was packed.
 */
export const patience = (milliseconds: number): number => milliseconds * Math.max(1, start / USUAL_START);

/** Waits for a promise, and fails where it takes longer than a test may. */
export async function within<T>(
    promise: Promise<T>,
    what: string | (() => string),
    deadline = patience(10_000),
): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
            const said = typeof what === 'string' ? what : what();
            reject(new Error(`it took longer than ${deadline} ms: ${said}`));
        }, deadline);
    });
    try {
        return await Promise.race([promise, expired]);
    } finally {
        clearTimeout(timer);
    }
}
