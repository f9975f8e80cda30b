import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import type { LogFormat } from '../../lib/config/config.js';
import type { BotEvent } from '../../lib/runs/events.js';
import { createLog } from '../../lib/runs/log.js';
import { createRun, type Run } from '../../lib/runs/run.js';

let news: string[];
let troubles: string[];

beforeEach(() => {
    [news, troubles] = [[], []];
    mock.method(console, 'log', (text: string) => void news.push(text));
    mock.method(console, 'error', (text: string) => void troubles.push(text));
});

afterEach(() => mock.restoreAll());

const log = (event: BotEvent, format: LogFormat = 'pretty') => createLog(() => format)(event);

const ended = (progress: Partial<Run>, manual = false): BotEvent => ({
    type: 'run-ended',
    run: {
        ...createRun({
            job: 'my-task',
            file: '/app/my_task.js',
            args: [],
            tenant: 'acme',
            scheduledAt: 1_000,
            manual,
        }),
        attempt: 1,
        startedAt: 1_000_000,
        endedAt: 1_000_250,
        ...progress,
    },
});

const TIME = /^(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d /;
const withoutTime = (lines: readonly string[]) => lines.map((line) => line.replace(TIME, ''));

/** An error as a job throws it. */
function thrown(name: string, message: string): Error {
    const error = new Error(message);
    return Object.assign(error, {
        name,
        stack: `${name}: ${message}\n    at run (file:///app/my_task.js:4:18)\n    at node:internal/x:1:1`,
    });
}

describe('the log', () => {
    test('has one line for a run that succeeded, with the time in front', () => {
        log(ended({ outcome: 'succeeded' }));
        assert.match(news[0] ?? '', TIME);
        assert.deepEqual(withoutTime(news), ['succeeded my-task [tenant acme] (250 ms)']);
        assert.deepEqual(troubles, []);
    });

    test('tells of an exit that something stands in the way of, in the format that is wanted', () => {
        const event: BotEvent = { type: 'exit-forced', resources: ['Timeout', 'TCPSocketWrap'] };
        const said = 'exiting although something keeps the process alive: Timeout, TCPSocketWrap';
        log(event);
        log(event, 'json');
        const [line = '', record = ''] = troubles;
        assert.deepEqual(withoutTime([line]), [said]);
        const { level, message, type } = JSON.parse(record);
        assert.deepEqual({ level, message, type }, { level: 'warn', message: said, type: 'exit-forced' });
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
        for (const reason of ['overlap', 'environment', 'claimed elsewhere', 'paused'])
            log(ended({ ...skipped, reason }));
        log(ended({ ...skipped, reason: 'interrupted' }, true));
        assert.deepEqual([news, troubles], [[], []]);
        log(ended({ ...skipped, reason: 'no tenants' }));
        log(ended({ ...skipped, reason: 'overlap' }, true));
        assert.deepEqual(withoutTime(news), [
            'skipped my-task [tenant acme] (no tenants)',
            'skipped my-task [tenant acme] (overlap)',
        ]);
    });

    test('gives a time that its clock shows twice its offset', () => {
        const own = process.env['TZ'];
        process.env['TZ'] = 'Europe/London';
        try {
            const from = Date.UTC(2026, 9, 25, 1, 30) / 1000;
            log({ type: 'clock-set-back', from, to: from - 3600, adopted: true });
        } finally {
            if (own === undefined) delete process.env['TZ'];
            else process.env['TZ'] = own;
        }
        assert.deepEqual(withoutTime(troubles), [
            'the clock was set back from 2026-10-25 01:30:00 +00:00 to 2026-10-25 01:30:00 +01:00: going on from there',
        ]);
    });

    test('says nothing under `silent`', () => {
        log(ended({ outcome: 'failed' }), 'silent');
        assert.deepEqual([news, troubles], [[], []]);
    });
});

describe('the log as JSON', () => {
    test('is an object a line, with level, message, duration and lateness', () => {
        log(ended({ outcome: 'succeeded', startedAt: 1_000_002, endedAt: 1_000_250 }), 'json');
        const { time, run, ...rest } = JSON.parse(news[0] ?? '');
        assert.match(time, /^\d{4}-.*Z$/);
        assert.equal(run.outcome, 'succeeded');
        assert.deepEqual(rest, {
            level: 'info',
            message: 'succeeded my-task [tenant acme] (248 ms)',
            type: 'run-ended',
            duration: 248,
            lateBy: 2,
        });
    });

    test('has the error in message and run, whatever its own toJSON() says', () => {
        const error = Object.assign(thrown('AxiosError', 'no paper\nline two'), {
            toJSON: () => ({ config: 'secret' }),
        });
        log(ended({ outcome: 'failed', error }), 'json');
        const { level, message, run } = JSON.parse(troubles[0] ?? '');
        assert.equal(level, 'error');
        assert.equal(
            message,
            'failed my-task [tenant acme] (250 ms), in /app/my_task.js: AxiosError: no paper',
        );
        assert.deepEqual(Object.keys(run.error), ['name', 'message', 'stack']);
    });

    test('warns of what may still go well', () => {
        const { run } = ended({}) as { run: Run };
        log({ type: 'run-retrying', run, error: new Error('no paper'), delay: 2_000 }, 'json');
        const { level, message, delay } = JSON.parse(troubles[0] ?? '');
        assert.deepEqual(
            [level, message, delay],
            ['warn', 'retrying my-task [tenant acme] in 2 s after attempt 1 failed: no paper', 2_000],
        );
    });
});
