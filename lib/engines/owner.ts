import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** A process as an engine knows it: whose runs are whose. */
export interface Owner {
    /** Unlike a pid it never comes again. */
    readonly id: string;
    readonly host: string;
    readonly pid: number;
}

/** A new name for this process. */
export function createOwner(): Owner {
    return { id: randomUUID(), host: hostname(), pid: process.pid };
}

/**
 * Tells whether a process is provably gone: it ran on this machine, and its pid is nobody's. A pid that is in use proves
 * nothing, and nothing can be said from here of another machine, or container.
 */
export function isGone({ host, pid }: Pick<Owner, 'host' | 'pid'>): boolean {
    if (host !== hostname()) return false;
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ESRCH';
    }
}
