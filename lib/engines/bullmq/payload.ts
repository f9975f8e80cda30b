import { hasKeys } from '../../config/options.js';
import type { Run, TenantId } from '../../runs/run.js';
import { type Json, readArgs } from '../../schedule/args.js';

/** The only form of a payload so far; another one will have another number. */
const VERSION = 1;

/** A run, as it travels through the queue: plain data. */
export interface Payload {
    readonly version: typeof VERSION;
    readonly job: string;
    /** The crontab it is due by, with `CRON_TZ=` and the zone in front where it has one. */
    readonly schedule?: string;
    readonly args: readonly Json[];
    readonly tenant?: TenantId;
    /** The slot, in unix seconds. */
    readonly scheduledAt: number;
    /** Whether it is one of several that were missed, and go one after another. */
    readonly catchesUp?: true;
}

/** A payload that nobody of this package has written: the message says what is wrong with it. */
export class MalformedPayloadError extends Error {
    override readonly name = 'MalformedPayloadError';
}

/** Writes a scheduled run for the queue. */
export function payloadOf(
    run: Pick<Run, 'job' | 'schedule' | 'args' | 'tenant' | 'scheduledAt'>,
    catchesUp: boolean,
): Payload {
    const { job, schedule, args, tenant, scheduledAt = 0 } = run;
    return {
        version: VERSION,
        job,
        ...(schedule !== undefined && { schedule }),
        args,
        ...(tenant !== undefined && { tenant }),
        scheduledAt,
        ...(catchesUp && { catchesUp }),
    };
}

const CHECKS: { [Name in keyof Payload]-?: [isGood: (value: unknown) => boolean, complaint: string] } = {
    version: [
        (value) => value === VERSION,
        `is not ${VERSION}: another release of pinstripe-bot has written it, or nobody`,
    ],
    job: [(value) => typeof value === 'string' && value !== '', 'is no name'],
    schedule: [(value) => value === undefined || typeof value === 'string', 'is no text'],
    args: [Array.isArray, 'are no array'],
    tenant: [
        (value) => value === undefined || typeof value === 'string' || Number.isFinite(value),
        'is neither a text nor a number',
    ],
    scheduledAt: [Number.isSafeInteger, 'is not a whole unix second'],
    catchesUp: [(value) => value === undefined || value === true, 'is not true'],
};

/**
 * Reads a payload from the queue, trusting nothing of it.
 *
 * @param data what BullMQ has parsed as JSON
 * @throws MalformedPayloadError
 */
export function readPayload(data: unknown): Payload {
    if (!hasKeys(data)) throw malformed('it is no object');
    for (const [name, [isGood, complaint]] of Object.entries(CHECKS))
        if (!isGood(data[name])) throw malformed(`its \`${name}\` ${complaint}`);
    const { job, schedule, args, tenant, scheduledAt, catchesUp } = data as unknown as Payload;
    return payloadOf({ job, schedule, args: readArgs(args), tenant, scheduledAt }, catchesUp === true);
}

function malformed(reason: string): MalformedPayloadError {
    return new MalformedPayloadError(
        `Its payload in Redis is malformed: ${reason}. Nobody but pinstripe-bot may write into its queue.`,
    );
}
