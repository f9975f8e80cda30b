import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { loadApp, openAppWithDatabase } from './support/fixture_app.js';

const { app } = await openAppWithDatabase(
    "create table tenants (id text primary key); insert into tenants values ('a'), ('b');",
);

class Reader extends MetricReader {
    override async onShutdown() {}
    override async onForceFlush() {}
}

// As an app does, before it imports the entry point.
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
const reader = new Reader();
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));

await import('../lib/opentelemetry.js');
const { theBot } = await import('../lib/install.js');
const { runtimeOf } = await import('../lib/scheduler/bot.js');
const { createRun } = await import('../lib/runs/run.js');
const { findPlan } = await import('../lib/scheduler/requests.js');
const { gate, job, registerJobs, startScenario } = await import('./support/scenario.js');
await loadApp(app);
// The first look at the database imports the app's config, which takes real time.
await (await import('../lib/runs/tenants.js')).hasTenantsTable();

const START = '2026-01-01T12:00:00.500Z';
const ONCE = '1 0 12 * * *';
const SINGLE = { multiTenant: false };

const ofJobs = trace.getTracer('of the jobs');

/** Opens a span, in which something is done after a turn of the loop. */
const inSpan = (name: string, work: () => unknown = () => {}) =>
    ofJobs.startActiveSpan(name, async (span) => {
        await null;
        await work();
        span.end();
    });

/** The spans that have ended, by name; several of one name in the order in which they ended. */
const spans = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);

/** The values of a metric by job and outcome; of a histogram, how many there were and their sum. */
async function valuesOf(name: string): Promise<Record<string, unknown>> {
    const { resourceMetrics } = await reader.collect();
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const points = all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    return Object.fromEntries(
        points.map(({ attributes, value }) => [
            Object.values(attributes).join(' '),
            typeof value === 'number' ? value : [value.count, value.sum],
        ]),
    );
}

beforeEach(() => exporter.reset());
afterEach(() => registerJobs({}));

describe('a span', () => {
    test('is that of an attempt, and a parent of what its job does', async () => {
        const scenario = await startScenario(START, {
            mail: job(ONCE, () => inSpan('query'), { ...SINGLE, timezone: 'Europe/London' }),
        });
        await scenario.clock.advance(2_000);
        const [run] = spans('run mail');
        const [query] = spans('query');
        assert.equal(run?.parentSpanContext, undefined);
        assert.equal(query?.parentSpanContext?.spanId, run?.spanContext().spanId);
        assert.deepEqual(run?.attributes, {
            'faas.trigger': 'timer',
            'faas.cron': `CRON_TZ=Europe/London ${ONCE}`,
            'pinstripe.bot.job': 'mail',
            'pinstripe.bot.run': scenario.runs[0]?.id,
            'pinstripe.bot.slot': '2026-01-01T12:00:01Z',
            'pinstripe.bot.lateness': 0,
            'pinstripe.bot.attempt': 1,
            'pinstripe.bot.outcome': 'succeeded',
        });
        assert.equal(scenario.runs[0]?.traceId, run?.spanContext().traceId);
    });

    test('of an attempt that failed has its error, and the next attempt a span of its own', async () => {
        const scenario = await startScenario(START, {
            flaky: job(
                ONCE,
                function () {
                    if (this.currentRun.attempt > 1) return;
                    throw Object.assign(new RangeError('no paper'), { code: 'E_PAPER' });
                },
                { ...SINGLE, retries: 1 },
            ),
        });
        await scenario.clock.advance(30_000);
        const [first, second] = spans('run flaky');
        const attribute = (name: string) => [first?.attributes[name], second?.attributes[name]];
        assert.deepEqual(attribute('pinstripe.bot.attempt'), [1, 2]);
        assert.deepEqual(attribute('pinstripe.bot.outcome'), ['retrying', 'succeeded']);
        assert.deepEqual(attribute('error.type'), ['RangeError', undefined]);
        assert.deepEqual(first?.status, { code: SpanStatusCode.ERROR, message: 'no paper' });
        assert.equal(second?.status.code, SpanStatusCode.UNSET);
        const [exception] = first?.events ?? [];
        assert.equal(exception?.name, 'exception');
        assert.equal(exception?.attributes?.['exception.type'], 'RangeError');
        assert.equal(exception?.attributes?.['exception.message'], 'no paper');
        assert.match(String(exception?.attributes?.['exception.stacktrace']), /^RangeError: no paper\n +at /);
        assert.notEqual(first?.spanContext().traceId, second?.spanContext().traceId);
    });

    test('is there for each tenant, and for the listing of them', async () => {
        const scenario = await startScenario(START, {
            mail: job(ONCE, function () {
                return inSpan(`query of ${this.currentRun.tenant}`);
            }),
        });
        await scenario.clock.advance(2_000);
        const runs = spans('run mail');
        assert.deepEqual(
            runs.map(({ attributes }) => attributes['pinstripe.bot.tenant']),
            ['a', 'b'],
        );
        for (const [index, tenant] of ['a', 'b'].entries())
            assert.equal(
                spans(`query of ${tenant}`)[0]?.parentSpanContext?.spanId,
                runs[index]?.spanContext().spanId,
            );
        assert.equal(spans('list tenants of mail').length, 1);
    });

    test('is linked with the one in which somebody asked for the run', async () => {
        const scenario = await startScenario(START, { mail: job([], () => {}, SINGLE) });
        await inSpan('request', () => scenario.bot.runBackgroundJob('mail'));
        const [run] = spans('run mail');
        const [request] = spans('request');
        const { traceId, spanId } = request?.spanContext() ?? {};
        assert.deepEqual(
            run?.links.map(({ context }) => [context.traceId, context.spanId]),
            [[traceId, spanId]],
        );
        assert.equal(run?.parentSpanContext, undefined);
        assert.equal(run?.attributes['faas.trigger'], 'other');
    });
});

test('metrics count runs by outcome, how long they took, how late they were, and those that run and wait', async () => {
    const done = gate();
    const scenario = await startScenario(START, {
        fine: job('1,2 0 12 * * *', () => {}, SINGLE),
        bad: job(ONCE, () => assert.fail('no paper'), SINGLE),
        slow: job('3 0 12 * * *', () => done.opened, SINGLE),
    });
    await scenario.clock.advance(3_000);
    const running = await valuesOf('pinstripe.bot.runs.running');
    assert.deepEqual([running['fine'], running['bad'], running['slow']], [0, 0, 1]);
    await scenario.clock.advance(2_000);
    done.open();
    await scenario.clock.advance(0);
    const { slow } = await valuesOf('pinstripe.bot.runs.running');
    assert.equal(slow, 0);
    const { 'fine succeeded': fine, 'bad failed': bad } = await valuesOf('pinstripe.bot.runs');
    assert.deepEqual([fine, bad], [2, 1]);
    const durations = await valuesOf('pinstripe.bot.run.duration');
    assert.deepEqual(
        [durations['slow succeeded'], durations['bad failed']],
        [
            [1, 2.5],
            [1, 0],
        ],
    );
    const lateness = await valuesOf('pinstripe.bot.run.lateness');
    assert.deepEqual(
        [lateness['fine'], lateness['slow']],
        [
            [2, 0],
            [1, 0],
        ],
    );
    assert.deepEqual(await valuesOf('pinstripe.bot.runs.waiting'), { bad: 0, fine: 0, slow: 0 });

    const none = { 'no process': 0, 'overdue slot': 0, 'overdue run': 0 };
    assert.deepEqual(await valuesOf('pinstripe.bot.overdue'), none);

    const runtime = runtimeOf(theBot);
    const { plans } = await runtime.ready();
    const run = createRun({ job: 'fine', args: [], manual: true });
    await runtime.engine.request({ run, plan: findPlan('fine', plans), isAwaited: false });
    assert.deepEqual(await valuesOf('pinstripe.bot.runs.waiting'), { bad: 0, fine: 1, slow: 0 });
});
