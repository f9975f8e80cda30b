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
        folder: undefined,
        timezone: 'Europe/Berlin',
        timezoneFault: undefined,
        firstOfMonth: NOW,
        concurrency: 1,
        now: NOW,
    };
}

const placesOf = (survey: CheckedApp) => check(survey).map(({ rule, schedule }) => [rule, schedule]);

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

    test('tells of a flaw once, however often the job has that crontab', () => {
        assert.deepEqual(
            placesOf(
                surveyOf([
                    ['* 4 * * *', 'a'],
                    ['* 4 * * *', 'b'],
                ]),
            ),
            [['every-minute', '* 4 * * *']],
        );
    });

    test('looks at the clocks of the schedule, or else those of the process', () => {
        const berlin = surveyOf([
            ['30 2 * * *'],
            ['CRON_TZ=UTC 30 2 * * *'],
            ['CRON_TZ=Europe/London 30 1 * * *'],
        ]);
        assert.deepEqual(placesOf(berlin), [
            ['clock-change', '30 2 * * *'],
            ['clock-change', 'CRON_TZ=Europe/London 30 1 * * *'],
        ]);
        assert.deepEqual(placesOf(surveyOf([['30 2 * * *']], [], 'Asia/Tokyo')), []);
    });

    test('tells of equal schedules, which make one run', () => {
        const twice: Declarations = [
            ['0 6 * * *', 'a'],
            ['0 6 * * *'],
            ['0 6 * * *', 'a'],
            ['0 6 * * *', 'a'],
        ];
        assert.deepEqual(
            check(surveyOf(twice)).map(({ rule, severity }) => [rule, severity]),
            [['same-schedule', 'warning']],
        );
    });

    const settings: readonly [crontab: string, settings: object, rule: string | undefined][] = [
        ['*/5 * * * *', { spread: '6m' }, 'long-spread'],
        ['*/5 * * * *', { spread: '5m' }, undefined],
        ['0 9,17 * * *', { spread: '9h' }, 'long-spread'],
        ['0 6 * * *', { except: ['2025-12-24', '2025-12-25/2025-12-31'] }, 'past-exceptions'],
        ['0 6 * * *', { except: ['2025-12-24', '2026-01-01'] }, undefined],
        ['0 6 * * *', { except: ['2025-12-24', () => false] }, undefined],
    ];
    for (const [crontab, given, rule] of settings)
        test(`of ${JSON.stringify(given)} with ${crontab} tells ${rule ?? 'nothing'}`, () => {
            const found = check(surveyOf([[crontab]], [], undefined, given));
            const expected = rule === undefined ? [] : [[rule, 'warning']];
            assert.deepEqual(
                found.map((finding) => [finding.rule, finding.severity]),
                expected,
            );
        });

    test('takes over the problems of the job, with their cures, errors first, in the order of their lines', () => {
        const job = { job: 'my-task', file: FILE } as const;
        const misspelt = {
            ...job,
            severity: 'warning',
            kind: 'misspelt-setting',
            reason: 'no setting',
        } as const;
        const noRun = {
            ...job,
            severity: 'error',
            kind: 'no-run',
            reason: 'no run: add one',
            cure: 'add one',
        } as const;
        const threw = { ...job, severity: 'error', kind: 'meta-threw', reason: 'threw', line: 2 } as const;
        const found = check(surveyOf([['0 6 * * *']], [misspelt, threw, noRun]));
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
