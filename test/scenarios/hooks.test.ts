import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, test } from 'node:test';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import type { BotEvent } from '../../lib/runs/events.js';
import type { BackgroundJobClass } from '../../types/background_job.js';
import { ending } from '../support/jobs.js';
import { endScenario, job, startScenario } from '../support/scenario.js';

const START = '2026-01-01T12:00:00.500Z';

describe('hooks', () => {
    test('of one job and of all run around each attempt, with the job as this', async () => {
        const calls: string[] = [];
        const note = (hook: string) =>
            function (this: { currentRun: { job: string; attempt: number } }, error?: Error) {
                calls.push(
                    [hook, this.currentRun.job, this.currentRun.attempt, error?.message]
                        .filter(Boolean)
                        .join(' '),
                );
            };
        const all = BackgroundJob as unknown as { hooks: Record<string, unknown[]> };
        BackgroundJob.addHook(['beforeRun', 'runFailed'], note('all'));
        const scenario = await startScenario(START, {
            flaky: {
                meta(this: BackgroundJobClass) {
                    this.schedule('1 0 12 * * *');
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
            other: job('1 0 12 * * *'),
        });
        await scenario.clock.advance(15_000);
        assert.deepEqual(calls, [
            'all flaky 1',
            'before flaky 1',
            'run',
            'all flaky 1 no',
            'report no',
            'after flaky 1',
            'all flaky 2',
            'before flaky 2',
            'run',
            'after flaky 2',
            'all other 1',
        ]);
        delete all.hooks['beforeRun'];
        delete all.hooks['runFailed'];
        await endScenario(scenario);
    });

    test('one that fails is reported and harmless', async () => {
        const scenario = await startScenario(START, {
            job: {
                meta(this: BackgroundJobClass) {
                    this.schedule('1 0 12 * * *');
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
        await endScenario(scenario);
    });
});

describe('diagnostics channels', () => {
    test('everything that happens goes out, skips included; a listener that throws harms nothing', async () => {
        const heard: string[] = [];
        const listener = (message: unknown) => {
            heard.push(ending((message as Extract<BotEvent, { type: 'run-ended' }>).run));
        };
        subscribe('pinstripe-bot:run-ended', listener);
        const jobs = {
            a: job('1 0 12 * * *'),
            b: job('1 0 12 * * *', () => {}, { environments: ['elsewhere'] }),
        };
        const scenario = await startScenario(START, jobs, { environment: 'here' });
        await scenario.clock.advance(1_000);
        unsubscribe('pinstripe-bot:run-ended', listener);
        assert.deepEqual(heard, ['a succeeded', 'b skipped (environment)']);
        await endScenario(scenario);
    });
});
