import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { DEFAULT_ALERTS } from '../../lib/config/alert_settings.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { WaitingRun } from '../../lib/runs/history.js';
import { previewDays } from '../../lib/schedule/preview.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { assertGolden } from '../support/golden.js';
import { NOW, overviewOf, pastRun, pastSkips, pauseFor, planOf, statusOf } from '../support/job_overviews.js';

process.env['TZ'] = 'UTC';
const { renderJobTable } = await import('../../lib/views/job_list.js');
const { renderJobPage } = await import('../../lib/views/job_page.js');
const { renderDay } = await import('../../lib/views/preview.js');
const { settingsInForce } = await import('../../lib/views/settings_in_force.js');

const JOBS = [
    overviewOf(planOf('clean-up', [['*/5 * * * *']]), { status: statusOf({ ended: [pastRun()] }) }),
    overviewOf(planOf('fetch-prices', [['0 * * * *'], ['30 9 * * MON-FRI', 'opening']]), {
        state: 'paused',
        pause: pauseFor('fetch-prices', { until: NOW + 3 * 3_600_000, reason: 'supplier down' }),
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

    test('has rows of up to three lines at 140 and at 80 columns', async () => {
        await assertGolden('jobs-140', await render(140));
        await assertGolden('jobs-80', await render(80));
    });

    test('shows as many next slots as asked for', async () => {
        await assertGolden('jobs-next', await render(Infinity, 3));
    });

    test('leaves nothing out of a usual app at 80 columns', async () => {
        const usual = [0, 2, 4, 6].flatMap((index) => JOBS[index] ?? []);
        const lines = await render(80, 1, usual);
        await assertGolden('jobs-usual-80', lines);
        assert.doesNotMatch(lines.join('\n'), /…/);
    });
});

const STACK = [
    'Error: the supplier does not answer',
    '    at request (file:///app/node_modules/client/index.js:3:1)',
    '    at Proxy.run (file:///app/lib/background_jobs/fetch_prices.js:12:15)',
].join('\n');

const PLAN = planOf(
    'fetch-prices',
    [['*/20 * * * *', 'all', { deep: true }], ['CRON_TZ=Asia/Tokyo 0 2 * * *']],
    {
        settings: readSettings({ description: 'Asks the supplier.', timeout: '30s', retries: 1 }).settings,
        sources: { description: 'definition', timeout: 'definition', retries: 'meta()' },
    },
);

const PAST = [
    pastRun({
        outcome: 'running',
        startedAt: NOW - 5_000,
        endedAt: undefined,
        manual: true,
        requestedBy: 'ada@web-1',
        args: ['now'],
    }),
    pastSkips({ first: NOW / 1000 - 2400, last: NOW / 1000 - 1200, count: 2, reason: 'paused' }),
    pastRun({
        outcome: 'failed',
        attempt: 2,
        lateBy: 4_200,
        tenant: 'acme',
        error: 'Error: the supplier does not answer',
        stack: STACK,
    }),
    pastRun({ outcome: 'aborted', reason: 'stopping' }),
    pastRun({ outcome: 'lost', reason: 'its process is gone', endedAt: undefined }),
];

const JOB = overviewOf(PLAN, {
    state: 'running',
    pause: pauseFor('*', { until: NOW + 60_000, reason: 'stocktaking', by: 'ada@web-1' }),
    status: statusOf({ running: PAST.slice(0, 1) as never, ended: [] }),
    problems: [
        {
            job: 'fetch-prices',
            file: PLAN.file,
            reason: 'its property `timout` is not a setting: did you mean `timeout`?',
            kind: 'misspelt-setting',
            severity: 'warning',
        },
    ],
});

const WAITING: WaitingRun[] = [
    {
        ...{ id: 'c0ffee00-0000-4000-8000-000000000001', job: JOB.name, tenant: 'acme', args: ['user-7'] },
        ...{ key: 'welcome user-7', requestedBy: 'ada@web-1', scheduledAt: undefined, runAt: NOW + 600_000 },
        ...{ attempt: 0, isReady: false },
    },
    {
        ...{ id: 'c0ffee00-0000-4000-8000-000000000002', job: JOB.name, tenant: undefined, args: [] },
        ...{
            key: undefined,
            requestedBy: undefined,
            scheduledAt: NOW / 1000,
            runAt: NOW,
            attempt: 1,
            isReady: true,
        },
    },
];

const renderPage = (width: number) => {
    const settings = settingsInForce(PLAN, {
        timezone: 'Europe/London',
        alerts: DEFAULT_ALERTS,
        hasTenants: false,
    });
    const options = { now: NOW, timezone: 'UTC', width, root: '/app', environment: 'test' };
    return renderJobPage({ job: JOB, settings, past: PAST, waiting: WAITING }, options);
};

describe('the page of a job', () => {
    test('has all that is known of it, in a pipe', async () => {
        await assertGolden('job', await renderPage(Infinity));
    });

    test('is readable at 80 columns', async () => {
        await assertGolden('job-80', await renderPage(80));
    });

    test('says what is not there: schedules, runs', async () => {
        const plan = planOf('by-hand');
        const job = overviewOf(plan, { state: 'unscheduled' });
        const options = { now: NOW, timezone: 'UTC', width: 80, root: '/app', environment: 'test' };
        await assertGolden(
            'job-unscheduled',
            await renderJobPage({ job, settings: [], past: [], waiting: [] }, options),
        );
    });
});

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
            lines.push(...(await renderDay(day, { timezone: 'UTC', width: 80, notes: new Map() })));
        await assertGolden('preview-80', lines);
    });
});
