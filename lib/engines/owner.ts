import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** A process as the journal knows it: whose runs are whose. */
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
