import { describe, test } from 'node:test';
import { readSettings } from '../../lib/jobs/settings.js';
import { assertGolden } from '../support/golden.js';
import { NOW, overviewOf, pastRun, pastSkips, planOf, statusOf } from '../support/job_overviews.js';

process.env['TZ'] = 'UTC';
const { renderJobPage } = await import('../../lib/views/job_page.js');
const { settingsInForce } = await import('../../lib/views/settings_in_force.js');

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
    pastRun({ outcome: 'running', startedAt: NOW - 5_000, endedAt: undefined, manual: true, args: ['now'] }),
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
    status: statusOf({ running: PAST.slice(0, 1) as never, ended: [] }),
    problems: [
        {
            job: 'fetch-prices',
            file: PLAN.file,
            reason: 'its property `timout` is no setting: did you mean `timeout`?',
            kind: 'misspelt-setting',
            severity: 'warning',
        },
    ],
});

const render = (width: number) => {
    const settings = settingsInForce(PLAN, { timezone: 'Europe/London', hasTenants: false });
    const options = { now: NOW, timezone: 'UTC', width, root: '/app', environment: 'test' };
    return renderJobPage({ job: JOB, settings, past: PAST }, options);
};

describe('the page of a job', () => {
    test('has all that is known of it, in a pipe', async () => {
        await assertGolden('job', await render(Infinity));
    });

    test('is readable at 80 columns', async () => {
        await assertGolden('job-80', await render(80));
    });

    test('says what is not there: schedules, runs', async () => {
        const plan = planOf('by-hand');
        const job = overviewOf(plan, { state: 'unscheduled' });
        const options = { now: NOW, timezone: 'UTC', width: 80, root: '/app', environment: 'test' };
        await assertGolden('job-unscheduled', await renderJobPage({ job, settings: [], past: [] }, options));
    });
});
