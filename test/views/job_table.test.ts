import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { readSettings } from '../../lib/jobs/settings.js';
import { assertGolden } from '../support/golden.js';
import { NOW, overviewOf, pastRun, pastSkips, planOf, statusOf } from '../support/job_overviews.js';

process.env['TZ'] = 'UTC';
const { renderJobTable } = await import('../../lib/views/job_table.js');

const JOBS = [
    overviewOf(planOf('clean-up', [['*/5 * * * *']]), { status: statusOf({ ended: [pastRun()] }) }),
    overviewOf(planOf('fetch-prices', [['0 * * * *'], ['30 9 * * MON-FRI', 'opening']]), {
        state: 'paused',
        isPaused: true,
        status: statusOf({
            ended: [pastRun({ outcome: 'failed' })],
            skipped: pastSkips({ reason: 'paused', count: 14, last: NOW / 1000 - 10 }),
        }),
    }),
    overviewOf(planOf('import-orders', [['0 0 * * *']]), {
        state: 'running',
        status: statusOf({
            ended: [pastRun({ outcome: 'timed_out' }), pastRun(), pastRun()],
            running: [pastRun({ outcome: 'running', startedAt: NOW - 65_000, endedAt: undefined })],
        }),
    }),
    overviewOf(
        planOf('nightly-digest', [
            ['CRON_TZ=Europe/London 0 2 * * *', 'all', { deep: true, since: '2020-01-01', fold: 'yes' }],
        ]),
    ),
    overviewOf(
        planOf('only-in-production', [['@daily']], {
            settings: readSettings({ environments: ['production'] }).settings,
        }),
        { state: 'excluded' },
    ),
    overviewOf(planOf('日次レポート'), { state: 'unscheduled' }),
    overviewOf(planOf('unfinished', [], { runnable: false }), { state: 'invalid' }),
];

const render = async (width: number, next = 1, jobs = JOBS) => {
    const options = { now: NOW, timezone: 'UTC', next, width, environment: 'development' };
    return (await renderJobTable(jobs, options)).map(stripVTControlCharacters);
};

describe('the table of jobs', () => {
    test('has a line for each schedule in a pipe, and where a terminal has room for it', async () => {
        const lines = await render(Infinity);
        await assertGolden('jobs', lines);
        assert.deepEqual(await render(250), lines);
    });

    test('stacks what belongs together at 140 and at 80 columns', async () => {
        await assertGolden('jobs-140', await render(140));
        await assertGolden('jobs-80', await render(80));
    });

    test('shows as many next slots as asked for', async () => {
        await assertGolden('jobs-next', await render(Infinity, 3));
    });

    test('is never wider than its terminal, with a hundred jobs of any length and script', async () => {
        const names = [
            'a',
            'reports/quarterly-figures-of-every-branch',
            'Ünïcödé',
            '日次レポート',
            'отчёт',
            '📦📦',
        ];
        const many = Array.from({ length: 100 }, (_, index) => {
            const name = `${names[index % names.length]}-${index}`;
            const schedule: [string, ...unknown[]] = [`${index % 60} */2 * * *`, ...names.slice(index % 7)];
            return overviewOf(planOf(name, [schedule]), { status: statusOf({ ended: [pastRun()] }) });
        });
        for (const width of [60, 80, 100, 140, 200]) {
            const lines = await render(width, 2, [...JOBS, ...many]);
            for (const line of lines) assert.ok(stringWidth(line) <= width, `${width}: ${line}`);
            assert.ok(lines.length > 200);
        }
    });
});
