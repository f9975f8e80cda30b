import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { after, describe, test } from 'node:test';
import type { TracedAttempt } from '../../lib/runs/tracing.js';
import type { BackgroundJobInstance } from '../../types/background_job.js';
import { job, startScenario } from '../support/scenario.js';

const START = '2026-01-01T12:00:00.500Z';
const ONCE = '1 0 12 * * *';

const attempts = tracingChannel<string, TracedAttempt>('pinstripe-bot:run');
const spans = new AsyncLocalStorage<string>();

/** What a subscriber of all channels hears, in a few words. */
function listen(): string[] {
    const heard: string[] = [];
    const hear = (channel: string) => (message: unknown) => {
        const { run, error, result } = message as TracedAttempt;
        assert.ok(Object.isFrozen(run));
        const ending = result && ('outcome' in result ? result.outcome : result.kind);
        const words = [channel, run.job, run.attempt, ending, error && String(error)];
        heard.push(words.filter(Boolean).join(' '));
    };
    const subscribers = {
        start: hear('start'),
        end: () => {},
        asyncStart: () => {},
        asyncEnd: hear('asyncEnd'),
        error: hear('error'),
    };
    attempts.subscribe(subscribers);
    attempts.start.bindStore(spans, ({ run }) => `${run.job} ${run.attempt}`);
    after(() => {
        attempts.unsubscribe(subscribers);
        attempts.start.unbindStore(spans);
    });
    return heard;
}

/** Ends well when its signal is aborted. */
function heedful(this: BackgroundJobInstance) {
    return new Promise<void>((resolve) => this.signal.addEventListener('abort', () => resolve()));
}

describe('the tracing channel', () => {
    test('has each attempt, in whose context its job runs, with what it failed with', async () => {
        const heard = listen();
        const seen: (string | undefined)[] = [];
        const scenario = await startScenario(START, {
            flaky: job(
                ONCE,
                async function () {
                    await null;
                    seen.push(spans.getStore());
                    if (this.currentRun.attempt === 1) throw new TypeError('no paper');
                },
                { retries: 1 },
            ),
            idle: job(ONCE, () => {}, { skipWhen: () => 'maintenance' }),
        });
        await scenario.clock.advance(40_000);
        assert.deepEqual(seen, ['flaky 1', 'flaky 2']);
        assert.deepEqual(heard, [
            'start flaky 1',
            'error flaky 1 TypeError: no paper',
            'asyncEnd flaky 1 retries TypeError: no paper',
            'start idle 1',
            'asyncEnd idle 1 skipped',
            'start flaky 2',
            'asyncEnd flaky 2 succeeded',
        ]);
    });

    test('has an error for a timeout, and none for a run that is aborted', async () => {
        const heard = listen();
        const scenario = await startScenario(START, {
            late: job(ONCE, heedful, { timeout: '1s' }),
            replaced: job('2,4 0 12 * * *', heedful, { overlap: 'replace' }),
        });
        await scenario.clock.advance(5_000);
        assert.deepEqual(heard, [
            'start late 1',
            'start replaced 1',
            'error late 1 TimeoutError: the run reached its timeout',
            'asyncEnd late 1 timed_out TimeoutError: the run reached its timeout',
            'asyncEnd replaced 1 aborted',
            'start replaced 1',
        ]);
    });
});
