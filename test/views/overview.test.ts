import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JobPlan } from '../../lib/jobs/job_plan.js';
import type { Problem } from '../../lib/jobs/problem.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { JobStatus, PastRun } from '../../lib/runs/history.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { openApp } from '../support/fixture_app.js';
import { planOf as newPlan } from '../support/job_overviews.js';

await openApp();
const { nextSlotOf, overviewsOf, takeOverview } = await import('../../lib/views/overview.js');
const { nextSlots } = await import('../../lib/views/schedules.js');

/** 2026-01-01 00:00:00 UTC */
const NOW = 1_767_225_600;

const planOf = (name: string, parts: Partial<JobPlan> = {}) => newPlan(name, [['*/5 * * * *']], parts);

const problemOf = (job: string, severity: Problem['severity'] = 'error'): Problem => ({
    job,
    file: `/app/lib/background_jobs/${job}.js`,
    kind: 'no-run',
    reason: 'it is broken',
    severity,
});

const running: JobStatus = { running: [{} as PastRun], ended: [], byHand: [], skipped: undefined };

describe('an overview', () => {
    const stateOf = (
        plan: JobPlan,
        known: { problems?: Problem[]; statuses?: [string, JobStatus][]; paused?: string[] } = {},
    ) => {
        const { problems = [], statuses = [], paused = [] } = known;
        const survey = { plans: [plan], problems, environment: 'development' };
        return overviewsOf(survey, new Map(statuses), paused)[0]?.state;
    };

    test('says in one word how a job stands: what keeps it from running comes first', () => {
        const job = planOf('a');
        const settings = readSettings({ environments: ['production'] }).settings;
        assert.equal(stateOf(job), 'scheduled');
        assert.equal(stateOf(planOf('a', { schedules: [] })), 'unscheduled');
        assert.equal(stateOf(planOf('a', { settings })), 'excluded');
        assert.equal(stateOf(job, { statuses: [['a', running]] }), 'running');
        assert.equal(stateOf(job, { statuses: [['a', running]], paused: ['a'] }), 'paused');
        assert.equal(stateOf(job, { paused: ['*'] }), 'paused');
        assert.equal(stateOf(job, { paused: ['b'] }), 'scheduled');
        assert.equal(stateOf(job, { problems: [problemOf('a', 'warning')] }), 'scheduled');
        assert.equal(stateOf(job, { problems: [problemOf('a')], paused: ['a'] }), 'invalid');
        assert.equal(stateOf(planOf('a', { runnable: false })), 'invalid');
    });

    test('has the files that made no job among the jobs, by name', () => {
        const survey = {
            plans: [planOf('a'), planOf('c')],
            problems: [problemOf('b'), problemOf('c', 'warning')],
            environment: 'test',
        };
        const jobs = overviewsOf(survey, new Map(), []);
        assert.deepEqual(
            jobs.map(({ name, file, plan, problems }) => [name, file, plan !== undefined, problems.length]),
            [
                ['a', '/app/lib/background_jobs/a.js', true, 0],
                ['b', '/app/lib/background_jobs/b.js', false, 1],
                ['c', '/app/lib/background_jobs/c.js', true, 1],
            ],
        );
    });

    test('is taken although the history cannot be read, and says why it tells nothing of runs', async () => {
        const survey = { plans: [planOf('a')], problems: [], environment: 'test', timezone: undefined };
        const open = () => Promise.reject(new Error('The journal bot.db cannot be read: it is a folder'));
        const { jobs, historyTrouble } = await takeOverview(survey, open);
        assert.equal(jobs.length, 1);
        assert.equal(historyTrouble, 'The journal bot.db cannot be read: it is a folder');
    });

    test('closes the history, and says where that knows of this process alone', async () => {
        const survey = { plans: [planOf('a')], problems: [], environment: 'test', timezone: undefined };
        let closed = 0;
        const history = {
            isShared: false,
            statusOf: async () => new Map([['a', running]]),
            of: async () => [],
            pausedJobs: async () => [],
            close: async () => {
                closed += 1;
            },
        };
        const overview = await takeOverview(survey, async () => history);
        assert.equal(overview.jobs[0]?.state, 'running');
        assert.deepEqual([overview.isHistoryShared, overview.historyTrouble], [false, undefined]);
        assert.equal(closed, 1);
    });
});

describe('the next slots', () => {
    const daily = createSchedule('a', ['0 2 * * *'], 'UTC');

    test('of a schedule are as many as asked for, and as there are', () => {
        assert.deepEqual(nextSlots(daily, NOW, 2), [NOW + 7200, NOW + 93_600]);
        assert.deepEqual(nextSlots(daily, NOW, 0), []);
        const without = Object.assign(createSchedule('a', ['0 2 * * *'], 'UTC'), { next: () => undefined });
        assert.deepEqual(nextSlots(without, NOW, 3), []);
    });

    test('of a job begin with the earliest of its schedules; what does not run here has none', () => {
        const overviewOf = (plan: JobPlan) =>
            overviewsOf({ plans: [plan], problems: [], environment: 'test' }, new Map(), [])[0];
        const twice = planOf('a', { schedules: [daily, createSchedule('a', ['0 1 * * *'], 'UTC')] });
        const elsewhere = planOf('a', { settings: readSettings({ environments: ['production'] }).settings });
        for (const [plan, slot] of [
            [twice, NOW + 3600],
            [elsewhere, Infinity],
            [planOf('a', { schedules: [] }), Infinity],
        ] as const) {
            const job = overviewOf(plan);
            assert.ok(job);
            assert.equal(nextSlotOf(job, NOW), slot);
        }
    });
});
