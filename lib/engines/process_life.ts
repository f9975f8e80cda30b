import { hostname } from 'node:os';

/**
 * Tells whether a process is provably gone. That its pid is in use proves nothing: it may be another's by now. Nor can
 * anything be said from here of another machine, or container.
 *
 * @param owner its machine and pid
 * @returns true only where it ran on this machine, and its pid is nobody's
 */
export function isGone({ host, pid }: { host: string; pid: number }): boolean {
    if (host !== hostname()) return false;
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ESRCH';
    }
}
