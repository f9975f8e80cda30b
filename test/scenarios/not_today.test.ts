import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import { simulate } from '../../lib/testing.js';
import type { BackgroundJobDefinition } from '../../types/background_job.js';
import { job } from '../support/jobs.js';

describe('not today', () => {
    afterEach(() => BackgroundJob.unregister('job'));

    const register = ({ run, ...settings }: Omit<BackgroundJobDefinition, 'meta'>) =>
        BackgroundJob.register('job', job('CRON_TZ=Europe/London 0 9 * * *', run, settings));
    const threeDays = async () =>
        (await simulate('2026-12-24', '2026-12-27')).map(({ scheduledAt = 0, outcome, reason, error }) =>
            [new Date(scheduledAt * 1000).getUTCDate(), outcome, reason, error?.message]
                .filter(Boolean)
                .join(' '),
        );

    test('days in `except` have no slot, and so no run and no skip', async () => {
        register({ except: ['2026-12-25'], run() {} });
        assert.deepEqual(await threeDays(), ['24 succeeded', '26 succeeded']);
    });

    test('`skipWhen` skips a run with the reason that it gives, in the workspace of the run', async () => {
        register({
            closed: [25],
            skipWhen() {
                const day = new Date((this.currentRun.scheduledAt ?? 0) * 1000).getUTCDate();
                if (day === 24) return true;
                return this['closed'].includes(day) && 'holiday';
            },
            run() {},
        });
        assert.deepEqual(await threeDays(), ['24 skipped skipWhen', '25 skipped holiday', '26 succeeded']);
    });

    test('`skipWhen` that throws fails the run, and the hooks hear of it', async () => {
        const heard: string[] = [];
        register({
            async skipWhen() {
                if (new Date((this.currentRun.scheduledAt ?? 0) * 1000).getUTCDate() === 24)
                    throw new Error('no answer');
            },
            run() {},
        });
        BackgroundJob.for('job').addHook('runFailed', (error: Error) => heard.push(error.message));
        assert.deepEqual(await threeDays(), ['24 failed no answer', '25 succeeded', '26 succeeded']);
        assert.deepEqual(heard, ['no answer']);
    });
});
