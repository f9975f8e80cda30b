import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { DEFAULT_ALERTS } from '../../lib/config/alert_settings.js';
import type { JobPlan } from '../../lib/jobs/job_plan.js';
import type { Problem } from '../../lib/jobs/problem.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { History, JobStatus, PastRun } from '../../lib/runs/history.js';
import type { JobOverview } from '../../lib/views/overview.js';
import { openApp } from '../support/fixture_app.js';
import { NOW, planOf as newPlan, overviewOf, pauseFor } from '../support/job_overviews.js';

await openApp();
const { isWorked, nextSlotOf, overviewsOf, takeOverview } = await import('../../lib/views/overview.js');
const { printWorkNote } = await import('../../lib/views/page.js');

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
        known: {
            problems?: Problem[];
            statuses?: [string, JobStatus][];
            paused?: string[];
            until?: number;
        } = {},
    ) => {
        const { problems = [], statuses = [], paused = [], until } = known;
        const pauses = paused.map((job) => pauseFor(job, { until }));
        const survey = { plans: [plan], problems, environment: 'development' };
        return overviewsOf(survey, new Map(statuses), pauses, NOW)[0]?.state;
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
        assert.equal(stateOf(job, { paused: ['*', 'a'], until: NOW }), 'scheduled');
        assert.equal(stateOf(job, { paused: ['a'], until: NOW + 1 }), 'paused');
        assert.equal(stateOf(job, { problems: [problemOf('a', 'warning')] }), 'scheduled');
        assert.equal(stateOf(job, { problems: [problemOf('a')], paused: ['a'] }), 'invalid');
        assert.equal(stateOf(planOf('a', { runnable: false })), 'invalid');
    });
});

test('what a job runs next is what comes after its pause', () => {
    const second = NOW / 1000;
    const plan = planOf('a');
    const until = NOW + 301_000;
    const next = (parts: Partial<JobOverview>) => nextSlotOf(overviewOf(plan, parts), second) - second;
    assert.equal(next({}), 300);
    assert.equal(next({ state: 'paused', pause: pauseFor('a', { until }) }), 600);
    assert.equal(next({ state: 'paused', pause: pauseFor('a', { until: NOW + 300_000 }) }), 300);
    assert.equal(next({ state: 'paused', pause: pauseFor('*') }), Infinity);
    assert.equal(next({ state: 'invalid', pause: pauseFor('a') }), Infinity);
    assert.equal(next({ state: 'excluded' }), Infinity);
    assert.equal(next({}), 300);
});

describe('whether the jobs are worked on', () => {
    const survey = {
        ...{ plans: [planOf('a')], problems: [], environment: 'test' },
        ...{ timezone: undefined, alerts: DEFAULT_ALERTS },
    };
    const at = (workedUntil: number | undefined, isShared = true) => ({
        isShared,
        statusOf: async () => new Map(),
        search: async () => [],
        pauses: async () => [],
        workedUntil: async () => workedUntil,
        close: async () => {},
    });
    for (const { what, history, expected, note } of [
        { what: 'a process scheduled a moment ago', history: at(995), expected: true, note: /^$/ },
        {
            what: 'the last one stopped a while ago',
            history: at(400),
            expected: false,
            note: /No process runs the jobs: the last one worked until 1970-01-01 00:06:40, 10 min\nago\. Start one/,
        },
        { what: 'none ever did', history: at(undefined), expected: false, note: /has run the jobs yet\./ },
        { what: 'the journal is in memory', history: at(undefined, false), expected: undefined, note: /^$/ },
    ])
        test(what, async (t) => {
            const log = t.mock.method(console, 'log', () => {});
            const overview = await takeOverview({
                survey: async () => survey,
                history: async () => history as unknown as History,
            });
            assert.equal(isWorked(overview, 1_000_000), expected);
            printWorkNote(overview, { now: 1_000_000, timezone: 'UTC', width: 80 });
            assert.match(stripVTControlCharacters(String(log.mock.calls[0]?.arguments[0] ?? '')), note);
        });
});
