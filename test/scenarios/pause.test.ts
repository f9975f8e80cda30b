import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackgroundJobClass } from '../../types/background_job.js';
import { startScenario } from '../support/scenario.js';

test('a pause without a journal ends by itself, and lets go of the retry that it held up', async () => {
    let attempts = 0;
    const scenario = await startScenario('2026-01-01T00:00:59Z', {
        job: {
            retries: 1,
            retryDelay: '10s',
            meta(this: BackgroundJobClass) {
                this.schedule('* * * * *');
            },
            run() {
                if (++attempts === 1) throw new Error('supplier down');
            },
        },
    });
    const { bot, clock } = scenario;
    await clock.advance(2_000);
    assert.equal(attempts, 1);
    await bot.pauseBackgroundJob('job', { until: '+150s' });
    await clock.advance(149_000);
    assert.deepEqual([attempts, ...scenario.endings], [1, 'job skipped (paused)', 'job skipped (paused)']);
    await clock.advance(2_000);
    assert.equal(attempts, 2);
    await clock.advance(60_000);
    assert.deepEqual(scenario.slots('job'), ['00:01:00', '00:04:00']);
});
