import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { afterEach, describe, test } from 'node:test';
import type { TracedAttempt } from '../../lib/runs/tracing.js';
import { job, never, startScenario } from '../support/scenario.js';

const START = '2026-01-01T12:00:00.500Z';
const ONCE = '1 0 12 * * *';

const attempts = tracingChannel<string, TracedAttempt>('pinstripe-bot:run');
const spans = new AsyncLocalStorage<string>();

/** What a subscriber of all channels hears, in a few words. */
function listen(): string[] {
    const heard: string[] = [];
    const hear = (channel: string) => (message: unknown) => {
        const { run, error, result } = message as TracedAttempt;
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
    afterEach(() => {
        attempts.unsubscribe(subscribers);
        attempts.start.unbindStore(spans);
    });
    return heard;
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
            late: job(ONCE, (): Promise<void> => never(), { timeout: '1s' }),
        });
        await scenario.clock.advance(40_000);
        assert.deepEqual(seen, ['flaky 1', 'flaky 2']);
        assert.deepEqual(
            heard.filter((line) => !line.includes('late')),
            [
                'start flaky 1',
                'error flaky 1 TypeError: no paper',
                'asyncEnd flaky 1 retries TypeError: no paper',
                'start idle 1',
                'asyncEnd idle 1 skipped',
                'start flaky 2',
                'asyncEnd flaky 2 succeeded',
            ],
        );
    });
});
