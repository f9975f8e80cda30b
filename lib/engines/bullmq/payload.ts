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

/**
 * Writes a run for the queue.
 *
 * @param run a scheduled run
 * @param catchesUp whether it is one of several that were missed
 */
export function payloadOf(run: Run, catchesUp: boolean): Payload {
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

/**
 * Reads a payload from the queue, trusting nothing of it.
 *
 * @param data what BullMQ has parsed as JSON
 * @returns the payload
 * @throws MalformedPayloadError
 */
export function readPayload(data: unknown): Payload {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) throw malformed('it is no object');
    const { version, job, schedule, args, tenant, scheduledAt, catchesUp } = data as Record<string, unknown>;
    if (version !== VERSION)
        throw malformed(
            `its \`version\` is not ${VERSION}: another release of pinstripe-bot has written it, or nobody`,
        );
    if (typeof job !== 'string' || job === '') throw malformed('its `job` is no name');
    if (schedule !== undefined && typeof schedule !== 'string') throw malformed('its `schedule` is no text');
    if (!Array.isArray(args)) throw malformed('its `args` are no array');
    if (tenant !== undefined && typeof tenant !== 'string' && !Number.isFinite(tenant))
        throw malformed('its `tenant` is neither a text nor a number');
    if (!Number.isSafeInteger(scheduledAt)) throw malformed('its `scheduledAt` is not a whole unix second');
    if (catchesUp !== undefined && catchesUp !== true) throw malformed('its `catchesUp` is not true');
    return {
        version: VERSION,
        job,
        ...(schedule !== undefined && { schedule }),
        args: readArgs(args),
        ...(tenant !== undefined && { tenant: tenant as TenantId }),
        scheduledAt: scheduledAt as number,
        ...(catchesUp && { catchesUp }),
    };
}

function malformed(reason: string): MalformedPayloadError {
    return new MalformedPayloadError(
        `Its payload in Redis is malformed: ${reason}. Nobody but pinstripe-bot may write into its queue.`,
    );
}
