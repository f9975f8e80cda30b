import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CheckedApp, check } from '../../lib/check/check.js';
import type { Problem } from '../../lib/jobs/problem.js';
import { readSettings } from '../../lib/jobs/settings.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { planOf } from '../support/job_overviews.js';

const FILE = '/app/lib/background_jobs/my_task.js';
const NOW = Date.UTC(2026, 0, 1) / 1000;

type Declarations = readonly [string, ...unknown[]][];

/** What there is in an app with one job. */
function surveyOf(
    declarations: Declarations,
    problems: Problem[] = [],
    timezone?: string,
    settings: object = {},
): CheckedApp {
    const plan = planOf('my-task', [], {
        file: FILE,
        settings: readSettings(settings).settings,
        schedules: declarations.map((words) => createSchedule('my-task', words, timezone)),
        problems,
    });
    return {
        plans: [plan],
        problems,
        timezone: 'Europe/Berlin',
        firstOfMonth: NOW,
        concurrency: 1,
        now: NOW,
    };
}

describe('a check', () => {
    test('tells of a flaw with job, file, and the schedule as it was declared', () => {
        assert.deepEqual(check(surveyOf([['0 6 * * *'], ['CRON_TZ=UTC  * 2 * * *']])), [
            {
                severity: 'warning',
                rule: 'every-minute',
                job: 'my-task',
                file: FILE,
                line: undefined,
                schedule: 'CRON_TZ=UTC * 2 * * *',
                message: 'schedule "CRON_TZ=UTC * 2 * * *": it runs every minute of hour 2, not once',
                cure: "for once write '0 2 * * *'; if every minute is meant, '*/1 2 * * *'",
            },
        ]);
    });

    const DAILY: Declarations = [['0 6 * * *']];
    const cases: [what: string, Declarations, rules: string[], settings?: object, timezone?: string][] = [
        [
            'one flaw, however often the job has that crontab',
            [
                ['* 4 * * *', 'a'],
                ['* 4 * * *', 'b'],
            ],
            ['every-minute'],
        ],
        ['the clocks of the process', [['30 2 * * *']], ['clock-change']],
        [
            'the clocks of the schedule',
            [['CRON_TZ=UTC 30 2 * * *'], ['CRON_TZ=Europe/London 30 1 * * *']],
            ['clock-change'],
        ],
        ['no clocks where they are never set', [['30 2 * * *']], [], {}, 'Asia/Tokyo'],
        [
            'equal schedules, which make one run',
            [...DAILY, ['0 6 * * *', 'a'], ...DAILY, ...DAILY],
            ['same-schedule'],
        ],
        ['a spread that is longer than an interval', [['*/5 * * * *']], ['long-spread'], { spread: '6m' }],
        ['no spread that is as long as an interval', [['*/5 * * * *']], [], { spread: '5m' }],
        [
            'a spread that is longer than one of the intervals',
            [['0 9,17 * * *']],
            ['long-spread'],
            { spread: '9h' },
        ],
        [
            'days that are over',
            DAILY,
            ['past-exceptions'],
            { except: ['2025-12-24', '2025-12-25/2025-12-31'] },
        ],
        ['no days of which one is to come', DAILY, [], { except: ['2025-12-24', '2026-01-01'] }],
        ['no days where a function may know more', DAILY, [], { except: ['2025-12-24', () => false] }],
    ];
    for (const [what, declarations, rules, settings, timezone] of cases)
        test(`warns of ${what}`, () => {
            const found = check(surveyOf(declarations, [], timezone, settings));
            assert.deepEqual(
                found.map(({ rule }) => rule),
                rules,
            );
            assert.ok(found.every(({ severity }) => severity === 'warning'));
        });

    test('takes over the problems of the job, with their cures', () => {
        const problem = (kind: Problem['kind'], reason: string, parts: Partial<Problem> = {}): Problem => ({
            ...{ job: 'my-task', file: FILE, severity: 'error', kind, reason, ...parts },
        });
        const problems = [
            problem('no-run', 'no run: add one', { cure: 'add one' }),
            problem('meta-threw', 'threw', { line: 2 }),
            problem('misspelt-setting', 'no setting', { severity: 'warning' }),
        ];
        const found = check(surveyOf([['0 6 * * *']], problems));
        assert.deepEqual(
            found.map(({ rule, line, message, cure }) => [rule, line, message, cure]),
            [
                ['no-run', undefined, 'no run', 'add one'],
                ['meta-threw', 2, 'threw', 'fix meta(): until then the job has no schedules'],
                [
                    'misspelt-setting',
                    undefined,
                    'no setting',
                    'correct the name, or give your helper one that looks less like a setting',
                ],
            ],
        );
    });
});
