/** Spans and metrics of runs: importing it registers them with `@opentelemetry/api`, whose SDK is the app's. */
import { subscribe } from 'node:diagnostics_channel';
import {
    type Attributes,
    context,
    isSpanContextValid,
    type Link,
    metrics,
    ROOT_CONTEXT,
    type Span,
    SpanKind,
    SpanStatusCode,
    trace,
} from '@opentelemetry/api';
import { faultsNow } from './health/health.js';
import { theBot } from './install.js';
import type { Result } from './runs/engine.js';
import type { BotEvent } from './runs/events.js';
import { durationOf, latenessOf, type Run } from './runs/run.js';
import { type TracedAttempt, traceWith } from './runs/tracing.js';
import { traceOf } from './text/errors.js';
import { isoSecond } from './time/moment.js';

/** How many waiting runs are counted. */
const MOST_WAITING = 1_000;

const SECONDS = {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900, 3_600, 14_400] },
};

const tracer = trace.getTracer('pinstripe-bot');
const meter = metrics.getMeter('pinstripe-bot');

const ended = meter.createCounter('pinstripe.bot.runs', { unit: '{run}' });
const running = meter.createUpDownCounter('pinstripe.bot.runs.running', { unit: '{run}' });
const duration = meter.createHistogram('pinstripe.bot.run.duration', SECONDS);
const lateness = meter.createHistogram('pinstripe.bot.run.lateness', SECONDS);

meter.createObservableGauge('pinstripe.bot.runs.waiting', { unit: '{run}' }).addCallback(async (gauge) => {
    const history = await theBot.history();
    const waiting = await history.waitingRuns(MOST_WAITING).finally(() => history.close());
    const { plans } = await theBot.survey();
    const counts = new Map(plans.map(({ name }) => [name, 0]));
    for (const { job } of waiting) counts.set(job, (counts.get(job) ?? 0) + 1);
    for (const [job, count] of counts) gauge.observe(count, { 'pinstripe.bot.job': job });
});

meter.createObservableGauge('pinstripe.bot.overdue', { unit: '{fault}' }).addCallback(async (gauge) => {
    const faults = await faultsNow(theBot);
    for (const kind of ['no process', 'overdue slot', 'overdue run'])
        gauge.observe(faults.filter((fault) => fault.kind === kind).length, { 'pinstripe.bot.fault': kind });
});

traceWith({
    // Without a parent: the run has nothing to do with the code that happened to make an engine look for work.
    async trace({ kind, run }, perform) {
        const name = kind === 'run' ? `run ${run.job}` : `list tenants of ${run.job}`;
        const links = linksOf(run);
        const options = { kind: SpanKind.CONSUMER, attributes: attributesOf(run), links };
        const span = tracer.startSpan(name, options, ROOT_CONTEXT);
        const job = { 'pinstripe.bot.job': run.job };
        if (kind === 'run') running.add(1, job);
        const result = await context.with(trace.setSpan(ROOT_CONTEXT, span), perform);
        if (kind === 'run') running.add(-1, job);
        conclude(span, result);
        span.end();
        return result;
    },
    traceparent() {
        const span = trace.getActiveSpan()?.spanContext();
        if (!span || !isSpanContextValid(span)) return undefined;
        return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
    },
});

hear('run-started', ({ run }) => {
    if (run.attempt > 1 || run.manual) return;
    lateness.record(latenessOf(run) / 1000, { 'pinstripe.bot.job': run.job });
});
hear('run-ended', ({ run }) => {
    const of = { 'pinstripe.bot.job': run.job, 'pinstripe.bot.outcome': run.outcome };
    ended.add(1, of);
    const milliseconds = durationOf(run);
    if (milliseconds !== undefined) duration.record(milliseconds / 1000, of);
});
hear('slots-unrun', ({ job, count }) => {
    ended.add(count, { 'pinstripe.bot.job': job, 'pinstripe.bot.outcome': 'skipped' });
});

function hear<Type extends BotEvent['type']>(
    type: Type,
    listener: (event: Extract<BotEvent, { type: Type }>) => void,
): void {
    subscribe(`pinstripe-bot:${type}`, listener as (event: unknown) => void);
}

function attributesOf(run: TracedAttempt['run']): Attributes {
    const { id, job, file, schedule, tenant, scheduledAt, startedAt, manual, requestedBy, attempt } = run;
    return {
        'faas.trigger': manual ? 'other' : 'timer',
        'faas.cron': schedule,
        'code.file.path': file,
        'pinstripe.bot.job': job,
        'pinstripe.bot.run': id,
        'pinstripe.bot.tenant': tenant === undefined ? undefined : String(tenant),
        'pinstripe.bot.slot': scheduledAt === undefined ? undefined : isoSecond(scheduledAt),
        'pinstripe.bot.lateness': startedAt === undefined ? undefined : latenessOf(run) / 1000,
        'pinstripe.bot.attempt': attempt,
        'pinstripe.bot.requested_by': requestedBy,
    };
}

/** A link, not a parent: whoever asked for the run may be another process, and gone when it starts. */
function linksOf({ traceparent = '' }: Pick<Run, 'traceparent'>): Link[] {
    const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
    const asked = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) || 0, isRemote: true };
    return isSpanContextValid(asked) ? [{ context: asked }] : [];
}

function conclude(span: Span, result: Result): void {
    if (result.kind === 'fans out') return;
    const outcome = result.kind === 'ended' ? result.outcome : 'retrying';
    span.setAttribute('pinstripe.bot.outcome', outcome);
    if (result.kind === 'ended' && result.reason !== undefined)
        span.setAttribute('pinstripe.bot.reason', result.reason);
    const { error } = result;
    if (!error) return;
    const { name, message } = error;
    // Without its code, which would be taken for its type.
    span.recordException({ name, message, stack: traceOf(error) });
    if (outcome === 'aborted') return;
    span.setAttribute('error.type', name);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
}
