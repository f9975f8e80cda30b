import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import type { LogFormat } from '../../lib/config/config.js';
import type { BotEvent } from '../../lib/runs/events.js';
import { createLog } from '../../lib/runs/log.js';
import { createRun, type Run } from '../../lib/runs/run.js';
import { type ErrorRecord, readError } from '../../lib/text/errors.js';
import { formatMoment } from '../../lib/time/moment.js';
import { assertShape } from '../support/json_schema.js';

let news: string[];
let troubles: string[];

beforeEach(() => {
    [news, troubles] = [[], []];
    mock.method(console, 'log', (text: string) => void news.push(text));
    mock.method(console, 'error', (text: string) => void troubles.push(text));
});

afterEach(() => mock.restoreAll());

const log = (event: BotEvent, format: LogFormat = 'pretty') => createLog(() => format)(event);

const ended = (progress: Partial<Run>, manual = false): BotEvent => {
    const parts = { job: 'my-task', file: '/app/my_task.js', args: [], tenant: 'acme', scheduledAt: 1_000 };
    const times = { attempt: 1, startedAt: 1_000_000, endedAt: 1_000_250 };
    return { type: 'run-ended', run: { ...createRun({ ...parts, manual }), ...times, ...progress } };
};

const TIME = /^(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d /;
const withoutTime = (lines: readonly string[]) => lines.map((line) => line.replace(TIME, ''));

/** An error as a job throws it. */
function thrown(name: string, message: string): ErrorRecord {
    const stack = `${name}: ${message}\n    at run (file:///app/my_task.js:4:18)\n    at node:internal/x:1:1`;
    return readError(Object.assign(new Error(message), { name, stack }));
}

describe('the log', () => {
    test('has one line for a run that succeeded, with the time in front', () => {
        log(ended({ outcome: 'succeeded' }));
        assert.match(news[0] ?? '', TIME);
        assert.deepEqual(withoutTime(news), ['succeeded my-task [tenant acme] (250 ms)']);
        assert.deepEqual(troubles, []);
    });

    test('tells of the lateness from a second up, but not of a manual run', () => {
        const late = { outcome: 'succeeded', startedAt: 1_001_500, endedAt: 1_001_500 } as const;
        log(ended(late));
        log(ended(late, true));
        assert.deepEqual(withoutTime(news), [
            'succeeded my-task [tenant acme] (0 ms, 1.5 s late)',
            'succeeded my-task [tenant acme] (0 ms)',
        ]);
    });

    test("has a failure on standard error, with its file and the stack from the app's code", () => {
        log(ended({ outcome: 'failed', attempt: 3, error: thrown('TypeError', 'no paper') }));
        assert.deepEqual(news, []);
        assert.deepEqual(withoutTime(troubles), [
            'failed my-task [tenant acme] (250 ms, attempt 3), in /app/my_task.js\n    TypeError: no paper\n        at run (file:///app/my_task.js:4:18)',
        ]);
    });

    test("does not repeat what a run's own signal made its job throw", () => {
        log(ended({ outcome: 'timed_out', error: thrown('TimeoutError', 'the run reached its timeout') }));
        log(ended({ outcome: 'aborted', reason: 'stopping', error: thrown('AbortError', 'aborted') }));
        log(ended({ outcome: 'aborted', reason: 'stopping', error: thrown('Error', 'no paper') }));
        assert.deepEqual(withoutTime(troubles), [
            'timed_out my-task [tenant acme] (250 ms), in /app/my_task.js',
            'aborted my-task [tenant acme] (250 ms, stopping), in /app/my_task.js',
            'aborted my-task [tenant acme] (250 ms, stopping), in /app/my_task.js\n    Error: no paper\n        at run (file:///app/my_task.js:4:18)',
        ]);
    });

    test('is silent about slots that are meant to be skipped, but tells who asked for a run', () => {
        const skipped = { outcome: 'skipped', startedAt: undefined, endedAt: undefined } as const;
        for (const reason of ['overlap', 'environment', 'paused']) log(ended({ ...skipped, reason }));
        log(ended({ ...skipped, reason: 'interrupted' }, true));
        assert.deepEqual([news, troubles], [[], []]);
        log(ended({ ...skipped, reason: 'no tenants' }));
        log(ended({ ...skipped, reason: 'overlap' }, true));
        assert.deepEqual(withoutTime(news), [
            'skipped my-task [tenant acme] (no tenants)',
            'skipped my-task [tenant acme] (overlap)',
        ]);
    });

    test('tells of one slot as one time, and of several as a span', () => {
        const unrun = { type: 'slots-unrun', job: 'my-task', reason: 'too old', first: 60 } as const;
        log({ ...unrun, count: 1, atLeast: false, last: 60 });
        log({ ...unrun, count: 2, atLeast: true, last: 120 });
        const [at, to] = [formatMoment(60), formatMoment(120)];
        assert.deepEqual(withoutTime(troubles), [
            `missed my-task: 1 slot at ${at} not run (too old)`,
            `missed my-task: at least 2 slots from ${at} to ${to} not run (too old)`,
        ]);
    });

    test('gives a time that its clock shows twice its offset', () => {
        const own = process.env['TZ'];
        process.env['TZ'] = 'Europe/London';
        const from = Date.UTC(2026, 9, 25, 1, 30) / 1000;
        log({ type: 'clock-set-back', from, to: from - 3600, adopted: true });
        process.env['TZ'] = own ?? 'UTC';
        assert.deepEqual(withoutTime(troubles), [
            'the clock was set back from 2026-10-25 01:30:00 +00:00 to 2026-10-25 01:30:00 +01:00: going on from there',
        ]);
    });

    test('tells of an error outside of every promise with its run, and of a queue that fails in whichever store', () => {
        const { run } = ended({}) as { run: Run };
        log({ type: 'stray-error', run, error: thrown('Error', 'astray') });
        log({ type: 'engine-failed', error: thrown('Error', 'no disk') });
        const place = 'in /app/my_task.js\n    Error: astray\n        at run (file:///app/my_task.js:4:18)';
        assert.deepEqual(withoutTime(troubles), [
            `failed my-task [tenant acme] outside of its promise, ${place}`,
            'warning the queue failed: no disk',
        ]);
    });

    test('is silent where its format cannot be read', () => {
        createLog(() => {
            throw new Error('no config');
        })(ended({ outcome: 'succeeded' }));
        assert.deepEqual([news, troubles], [[], []]);
    });

    test('says nothing under `silent`', () => {
        log(ended({ outcome: 'failed' }), 'silent');
        assert.deepEqual([news, troubles], [[], []]);
    });
});

/** Clears the screen, by both kinds of escapes, and has two lines. */
const NASTY = 'a\u001b[2J\u009b2Jb\r\nbot stopped\u2028';

const NASTY_PROBLEM = { job: NASTY, file: NASTY, reason: NASTY, severity: 'error', kind: 'no-run' } as const;

function nastyEvents(): BotEvent[] {
    const error = readError(Object.assign(new Error(NASTY, { cause: new Error(NASTY) }), { name: NASTY }));
    const parts = { job: NASTY, file: NASTY, args: [NASTY], tenant: NASTY, schedule: NASTY };
    const run: Run = {
        ...createRun({ ...parts, scheduledAt: 1_000, manual: true }),
        reason: NASTY,
        error,
    };
    const all: { [Type in BotEvent['type']]: Omit<Extract<BotEvent, { type: Type }>, 'type'> } = {
        'bot-started': { jobs: 1, schedules: 1, next: 1_000, engine: NASTY },
        'bot-stopping': { runs: 1 },
        'bot-stopped': {},
        'exit-forced': { resources: [NASTY] },
        'exit-with-runs': { runs: [run] },
        'job-invalid': { problem: NASTY_PROBLEM },
        'files-not-imported': { message: NASTY },
        'timezone-unreadable': { message: NASTY },
        'run-started': { run },
        'run-retrying': { run, error, delay: 1 },
        'run-ended': { run: { ...run, outcome: 'failed' } },
        'run-ignores-signal': { run, reason: NASTY, age: 1 },
        'run-abandoned': { run, age: 1 },
        'lane-blocked': { run, skips: 1, age: 1 },
        'slots-unrun': { job: NASTY, reason: NASTY, count: 1, atLeast: true, first: 1_000, last: 1_000 },
        'run-was-lost': { run },
        'journal-trouble': { trouble: 'replaced', path: NASTY, detail: NASTY },
        'redis-away': { place: NASTY, detail: NASTY },
        'redis-back': { place: NASTY, after: 1 },
        'engine-failed': { error },
        'clock-differs': { by: 1 },
        'clock-gap': { after: 1_000, now: 2_000 },
        'clock-set-back': { from: 2_000, to: 1_000, adopted: true },
        'stray-error': { run, error },
        'cleanup-failed': { run, error },
        'hook-failed': { run, hook: NASTY, error },
        'job-failing': { run, failures: 3, since: 1_000_000 },
        'job-recovered': { run, failures: 3, since: 1_000_000 },
        'slot-overdue': { run, by: 1 },
        unhealthy: { faults: [NASTY] },
        'healthy-again': { after: 1 },
        'run-slow': { run, age: 3, usual: 1 },
        'heartbeat-failed': { job: NASTY, host: NASTY, ping: 'start', reason: NASTY },
        'listener-failed': { to: NASTY, error },
    };
    return Object.entries(all).map(([type, event]) => ({ type, ...event }) as BotEvent);
}

describe('the log of what others have written', () => {
    for (const event of nastyEvents()) {
        test(`has no control characters, and no lines but those of stacks: ${event.type}`, () => {
            log(event);
            const [line, ...others] = [...news, ...troubles];
            assert.equal(line === undefined, event.type === 'run-started');
            assert.deepEqual(others, []);
            assert.doesNotMatch(line ?? '', /[^\P{Cc}\n]|\u2028/u);
            assert.doesNotMatch(line ?? '', /^(bot stopped|a)/m);
        });
    }

    test('is as it was written in JSON', () => {
        log({ type: 'job-invalid', problem: NASTY_PROBLEM }, 'json');
        assert.deepEqual(JSON.parse(troubles[0] ?? '').problem, NASTY_PROBLEM);
    });
});

describe('the log as JSON', () => {
    test('is an object a line, with level, message, duration and lateness', () => {
        log(ended({ outcome: 'succeeded', startedAt: 1_000_002, endedAt: 1_000_250 }), 'json');
        const { time, run, ...rest } = JSON.parse(news[0] ?? '');
        assert.match(time, /^\d{4}-.*Z$/);
        const { outcome, tenant, scheduledAt, startedAt } = run;
        assert.deepEqual(
            [outcome, tenant, scheduledAt, startedAt],
            ['succeeded', 'acme', '1970-01-01T00:16:40Z', '1970-01-01T00:16:40.002Z'],
        );
        assert.deepEqual(rest, {
            version: 2,
            job: 'my-task',
            tenant: 'acme',
            level: 'info',
            message: 'succeeded my-task [tenant acme] (248 ms)',
            type: 'run-ended',
            duration: 248,
            lateBy: 2,
        });
    });

    test('has the error in message and run, and the trace, in the one shape of a run', () => {
        const error = thrown('AxiosError', 'no paper\nline two');
        const traceId = '0af7651916cd43dd8448eb211c80319c';
        log(ended({ outcome: 'failed', error, traceId }), 'json');
        const line = JSON.parse(troubles[0] ?? '');
        assertShape('log', line);
        assert.equal(line.traceId, traceId);
        const { level, message, run } = line;
        const said = 'failed my-task [tenant acme] (250 ms), in /app/my_task.js: AxiosError: no paper';
        assert.deepEqual([level, message], ['error', said]);
        assert.deepEqual(Object.keys(run.error), ['name', 'message', 'stack']);
    });

    test('warns of what may still go well', () => {
        const { run } = ended({}) as { run: Run };
        log({ type: 'run-retrying', run, error: readError(new Error('no paper')), delay: 2_000 }, 'json');
        const { level, message, delay } = JSON.parse(troubles[0] ?? '');
        const said = 'retrying my-task [tenant acme] in 2 s after attempt 1 failed: no paper';
        assert.deepEqual([level, message, delay], ['warn', said, 2_000]);
    });
});
