import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, test } from 'node:test';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import type { BotEvent } from '../../lib/runs/events.js';
import type { BackgroundJobClass } from '../../types/background_job.js';
import { job, startScenario } from '../support/scenario.js';

const START = '2026-01-01T12:00:00.500Z';
const ONCE = '1 0 12 * * *';

describe('hooks', () => {
    test('of one job and of all run around each attempt, with the job as this', async () => {
        const calls: string[] = [];
        const note = (hook: string) =>
            function (this: { currentRun: { job: string; attempt: number } }, error?: Error) {
                const { job, attempt } = this.currentRun;
                calls.push([hook, job, attempt, error?.message].filter(Boolean).join(' '));
            };
        const all = BackgroundJob as unknown as { hooks: Record<string, unknown[]> };
        BackgroundJob.addHook(['beforeRun', 'runFailed'], note('all'));
        const scenario = await startScenario(START, {
            flaky: {
                meta(this: BackgroundJobClass) {
                    this.schedule(ONCE);
                    this.addHook('beforeRun', note('before'));
                    this.addHook('runFailed', 'report');
                    this.addHook('afterRun', note('after'));
                },
                retries: 1,
                report(error: Error) {
                    calls.push(`report ${error.message}`);
                },
                run() {
                    calls.push('run');
                    if (this.currentRun.attempt === 1) throw new Error('no');
                },
            },
            other: job(ONCE),
        });
        await scenario.clock.advance(15_000);
        assert.deepEqual(calls, [
            'all flaky 1',
            'before flaky 1',
            'run',
            'all flaky 1 no',
            'report no',
            'after flaky 1',
            'all other 1',
            'all flaky 2',
            'before flaky 2',
            'run',
            'after flaky 2',
        ]);
        delete all.hooks['beforeRun'];
        delete all.hooks['runFailed'];
    });

    test('one that fails is reported and harmless', async () => {
        const scenario = await startScenario(START, {
            job: {
                meta(this: BackgroundJobClass) {
                    this.schedule(ONCE);
                    this.addHook('beforeRun', () => {
                        throw new Error('bad hook');
                    });
                },
                run() {},
            },
        });
        await scenario.clock.advance(1_000);
        assert.deepEqual(scenario.endings, ['job succeeded']);
        assert.deepEqual(
            scenario.eventsOf('hook-failed').map(({ hook, error }) => [hook, error.message]),
            [['beforeRun', 'bad hook']],
        );
    });
});

test('diagnostics channels: everything that happens goes out, skips included; a listener that throws harms nothing', async () => {
    const heard: unknown[] = [];
    const listener = (message: unknown) => {
        const { run } = message as Extract<BotEvent, { type: 'run-ended' }>;
        heard.push([run.job, run.outcome, run.reason]);
    };
    subscribe('pinstripe-bot:run-ended', listener);
    const jobs = { a: job(ONCE), b: job(ONCE, () => {}, { environments: ['elsewhere'] }) };
    const { clock } = await startScenario(START, jobs, { environment: 'here' });
    await clock.advance(1_000);
    unsubscribe('pinstripe-bot:run-ended', listener);
    assert.deepEqual(heard, [
        ['a', 'succeeded', undefined],
        ['b', 'skipped', 'environment'],
    ]);
});
