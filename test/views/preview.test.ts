import { describe, test } from 'node:test';
import { previewDays } from '../../lib/schedule/preview.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { renderDay } from '../../lib/views/preview.js';
import { assertGolden } from '../support/golden.js';
import { NOW } from '../support/job_overviews.js';

describe('a preview', () => {
    test('has a line for each slot of a day, and one for all of a frequent schedule', async () => {
        const schedules = [
            createSchedule('clean-up', ['*/5 * * * *'], 'UTC'),
            createSchedule('nightly-digest', ['0 2 * * *', 'all'], 'UTC'),
            createSchedule('reports/quarterly-figures-of-every-branch', ['15,45 9 * * *'], 'UTC'),
            createSchedule('tick', ['*/10 * * * * *'], 'UTC'),
        ];
        const lines: string[] = [];
        const stretch = { from: NOW / 1000 + 3605, to: NOW / 1000 + 2 * 86_400 };
        for (const day of previewDays(schedules, stretch, 'UTC'))
            lines.push(...(await renderDay(day, 'UTC', 80)));
        await assertGolden('preview-80', lines);
    });
});
