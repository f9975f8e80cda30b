import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { readManifest } from './manifest.js';

/** A process as an engine knows it: whose runs are whose. */
export interface Owner {
    /** Unlike a pid it never comes again. */
    readonly id: string;
    readonly host: string;
    readonly pid: number;
    /** The host, its boot and the pid namespace: only within them can the pid be looked up. */
    readonly place: string;
    /** The app's version, which tells what code the process runs; undefined: it has none, or it has not been read yet. */
    release?: string | undefined;
}

/** A new name for this process. */
export function createOwner(): Owner {
    return { id: randomUUID(), host: hostname(), pid: process.pid, place: thisPlace };
}

/** Reads the app's version, for those who look at its processes. */
export async function readRelease(owner: Owner): Promise<void> {
    const { version } = await readManifest();
    if (typeof version === 'string') owner.release = version;
}

const thisPlace = [
    hostname(),
    read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    read(() => readlinkSync('/proc/self/ns/pid')),
].join(' ');

// Elsewhere than on Linux the host alone has to do.
function read(what: () => string): string {
    try {
        return what();
    } catch {
        return '-';
    }
}

/**
 * Tells whether a process is provably gone. That its pid is in use proves nothing: it may be another's by now. Nor can
 * anything be said from here of another machine, or container.
 *
 * @returns true only where it ran in this place, and its pid is nobody's
 */
export function isGone({ place, pid }: Pick<Owner, 'place' | 'pid'>): boolean {
    if (place !== thisPlace) return false;
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ESRCH';
    }
}
