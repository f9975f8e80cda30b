import { createHash } from 'node:crypto';

/**
 * How long after its slot a run starts, so that the tenants of a job do not all start in one second. For a job and a tenant
 * it is the same on every machine and after every restart.
 *
 * @param spread the job's setting, in milliseconds
 * @returns milliseconds, at least 0 and less than the spread
 */
export function offsetIn(spread: number, job: string, tenant: string | number | undefined): number {
    if (spread === 0) return 0;
    // A tenant's id may be a number in the table and a text elsewhere.
    const hash = createHash('sha1').update(JSON.stringify([job, String(tenant ?? '')]));
    return Math.floor((hash.digest().readUInt32BE(0) / 2 ** 32) * spread);
}
