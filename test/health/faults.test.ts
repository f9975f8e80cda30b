import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_ALERTS } from '../../lib/config/alert_settings.js';
import { type Fault, faultsOf, type Known } from '../../lib/health/faults.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { WaitingRun } from '../../lib/runs/history.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { pauseFor, planOf } from '../support/job_overviews.js';

/** 2026-01-01 02:10 UTC */
const NOW = Date.UTC(2026, 0, 1, 2, 10) / 1000;
const OVERDUE = 300;
const SLOT = NOW - 600;
const YESTERDAY = SLOT - 86_400;

interface Case {
    readonly settings?: object;
    readonly crontab?: string;
    readonly handled?: number | undefined;
    readonly known?: Partial<Known>;
    readonly waits?: Partial<WaitingRun>;
    readonly problem?: string;
}

/** What is found of an app with one job, `daily`, that is due at 02:00 and handled until yesterday's slot. */
function faultsWith({ settings = {}, crontab = '0 2 * * *', known, waits, problem, ...more }: Case): Fault[] {
    const read = readSettings(settings).settings;
    const schedule = createSchedule('daily', [crontab || '@daily'], 'UTC', read.except);
    const schedules = crontab ? [schedule] : [];
    const plan = planOf('daily', [], { settings: read, schedules, runnable: problem === undefined });
    const handled = 'handled' in more ? more.handled : NOW;
    const run: WaitingRun = {
        ...{ id: 'a', job: 'daily', tenant: undefined, args: [], key: undefined, requestedBy: undefined },
        ...{ scheduledAt: undefined, runAt: NOW * 1000, attempt: 0, isReady: true, ...waits },
    };
    return faultsOf(
        {
            plans: [plan],
            problems:
                problem === undefined
                    ? []
                    : [{ job: 'daily', file: undefined, severity: 'error', kind: 'no-run', reason: problem }],
            ...{ timezone: 'UTC', environment: 'production', alerts: DEFAULT_ALERTS },
        },
        {
            handled: new Map(handled === undefined ? [] : [[schedule.key, handled]]),
            ...{ waiting: waits ? [run] : [], pauses: [], workedUntil: NOW - 1, isShared: true, ...known },
        },
        { now: NOW * 1000, overdue: OVERDUE * 1000 },
    );
}

const pausedBy = (parts: object) => ({ pauses: [pauseFor('daily', parts)] });

const CASES: readonly [what: string, given: Case, kinds: Fault['kind'][]][] = [
    ['a slot that is handled', {}, []],
    ['a slot that nobody has handled for ten minutes', { handled: YESTERDAY }, ['overdue slot']],
    ['the same within the limit', { handled: SLOT, crontab: '6 2 * * *' }, []],
    ['a schedule that was never seen', { handled: undefined }, []],
    ['a slot of a paused job', { handled: YESTERDAY, known: pausedBy({}) }, []],
    [
        'a slot of a job that is paused for a while',
        { handled: YESTERDAY, known: pausedBy({ until: NOW * 1000 + 1 }) },
        [],
    ],
    [
        'a slot of a job whose pause is over',
        { handled: YESTERDAY, known: pausedBy({ until: NOW * 1000 - 1 }) },
        ['overdue slot'],
    ],
    ['a day that is taken out', { handled: YESTERDAY, settings: { except: ['2026-01-01'] } }, []],
    ['a job for another environment', { handled: YESTERDAY, settings: { environments: ['staging'] } }, []],
    ['a job that is invalid', { handled: YESTERDAY, problem: 'it has no run()' }, ['invalid job']],
    [
        'no process since long ago, whatever else is late',
        { handled: YESTERDAY, known: { workedUntil: SLOT } },
        ['no process'],
    ],
    ['no process for a moment', { known: { workedUntil: NOW - 200 } }, []],
    ['no process ever', { handled: undefined, known: { workedUntil: undefined } }, ['no process']],
    [
        'no process where there is nothing to run',
        { crontab: '', handled: undefined, known: { workedUntil: undefined } },
        [],
    ],
    [
        'a journal in memory, which knows no processes',
        { known: { workedUntil: undefined, isShared: false } },
        [],
    ],
    ['a run that could start and does not', { waits: { runAt: SLOT * 1000 } }, ['overdue run']],
    ['a run that has waited for a moment', { waits: { runAt: (NOW - 200) * 1000 } }, []],
    ['a run that waits for its lane', { waits: { runAt: SLOT * 1000, isReady: false } }, []],
    ['a run whose time has not come', { waits: { runAt: (NOW + 600) * 1000, isReady: false } }, []],
    ['a run of a job that is gone', { waits: { job: 'gone', runAt: SLOT * 1000 } }, []],
];

describe('a fault', () => {
    for (const [what, given, kinds] of CASES)
        test(`${kinds.join() || 'none'}: ${what}`, () => {
            assert.deepEqual(
                faultsWith(given).map(({ kind }) => kind),
                kinds,
            );
        });

    test('says what is wrong, since when, and what to do', () => {
        const [slot] = faultsWith({ handled: YESTERDAY });
        assert.deepEqual(slot, {
            kind: 'overdue slot',
            job: 'daily',
            since: SLOT * 1000,
            message:
                'daily: its slot of 2026-01-01 02:00:00 has been due for 10 min, and nothing has become of it: ' +
                'look at the log of the process that schedules',
        });
        assert.equal(
            faultsWith({ known: { workedUntil: SLOT } })[0]?.message,
            'no process has run the jobs for 10 min: start one with start-server, or start-bot, or look whether it hangs',
        );
        assert.match(
            faultsWith({ problem: 'it has no run()' })[0]?.message ?? '',
            /^daily: it has no run\(\)$/,
        );
    });
});
