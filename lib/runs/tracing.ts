import { tracingChannel } from 'node:diagnostics_channel';
import type { ActiveRun } from './active_run.js';
import type { Result, TakenRun } from './engine.js';
import type { Run } from './run.js';

/** What subscribers of `tracingChannel('pinstripe-bot:run')` are given of an attempt. */
export interface TracedAttempt {
    /** `slot`: it lists the tenants of a slot. */
    readonly kind: TakenRun['kind'];
    /** A frozen copy from when the attempt started. */
    readonly run: Readonly<Run>;
    /** What the attempt failed with, as it was thrown. */
    error?: unknown;
    /** What becomes of the run, once the attempt is over. */
    result?: Result;
}

/** Traces attempts by running them inside something of its own, as OpenTelemetry needs it. */
export interface Tracer {
    trace(attempt: TracedAttempt, perform: () => Promise<Result>): Promise<Result>;
    /** The current span, as W3C's `traceparent`. */
    traceparent(): string | undefined;
}

const attempts = tracingChannel('pinstripe-bot:run');

let tracer: Tracer | undefined;

/** Sets the tracer, of which there is one at most. */
export function traceWith(one: Tracer): void {
    tracer = one;
}

/** The current span, as W3C's `traceparent`; undefined: there is none, or nobody traces. */
export function currentTrace(): string | undefined {
    return tracer?.traceparent();
}

/** Performs an attempt, traced if anybody traces. A failed attempt does not reject; to them it is an error all the same. */
export function traceAttempt(
    kind: TakenRun['kind'],
    active: ActiveRun,
    perform: () => Promise<Result>,
): Promise<Result> {
    if (!tracer && !attempts.hasSubscribers) return perform();
    const attempt: TracedAttempt = { kind, run: Object.freeze({ ...active.run }) };
    const observed = () =>
        attempts.tracePromise(async () => {
            active.run.traceId = currentTrace()?.split('-')[1];
            const result = await perform();
            if (active.error && !active.abortReason) {
                attempt.error = active.error;
                attempts.error.publish(attempt);
            }
            return result;
        }, attempt);
    return tracer ? tracer.trace(attempt, observed) : observed();
}
