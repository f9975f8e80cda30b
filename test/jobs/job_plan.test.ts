import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { BackgroundJobClass } from '../../types/background_job.js';
import { openApp } from '../support/fixture_app.js';
import { HOSTILE_THROWS } from '../support/hostile_throws.js';

await openApp();
const { BackgroundJob } = await import('../../lib/index.js');
const { brokenFiles } = await import('../../lib/jobs/job_file.js');
const { brokenFileProblems, planJob } = await import('../../lib/jobs/job_plan.js');

const FILE = '/app/lib/background_jobs/my_task.js';
const NEXT_YEAR = 1_798_761_600;

type Definition = { meta?(this: BackgroundJobClass): void; run?: unknown; [name: string]: unknown };

/** A job as its file would register it. */
function define(definition: Definition, name = 'my-task') {
    BackgroundJob.register(name, {
        meta(this: BackgroundJobClass) {
            this.filePaths.push(FILE);
            this.include(definition);
        },
    });
    return planJob(name, undefined);
}

afterEach(() => {
    for (const name of BackgroundJob.names) BackgroundJob.unregister(name);
});

describe('the plan of a job', () => {
    test('has its name, file, schedules and settings', () => {
        const plan = define({
            meta() {
                this.schedule('*/5 * * * *');
                this.schedule('0 * * * *', 'hourly-cleanup', { deep: true });
            },
            description: 'Cleans up',
            run() {},
        });
        assert.equal(plan.name, 'my-task');
        assert.equal(plan.file, FILE);
        assert.equal(plan.runnable, true);
        assert.deepEqual(plan.problems, []);
        assert.equal(plan.settings.description, 'Cleans up');
        assert.deepEqual(
            plan.schedules.map(({ job, crontab, args }) => [job, crontab, args]),
            [
                ['my-task', '*/5 * * * *', []],
                ['my-task', '0 * * * *', ['hourly-cleanup', { deep: true }]],
            ],
        );
    });

    test('is without a file where the job was registered by hand', () => {
        BackgroundJob.register('by-hand', { run() {} });
        assert.equal(planJob('by-hand', undefined).file, undefined);
    });

    test('a job without schedules can run', () => {
        const plan = define({ run() {} });
        assert.equal(plan.runnable, true);
        assert.deepEqual(plan.schedules, []);
    });
});

// What each setting may be stands in settings.test.ts.
describe('a setting', () => {
    for (const [name, onDefinition, onClass] of [
        ['timezone', 'Europe/London', 'Asia/Tokyo'],
        ['multiTenant', true, false],
        ['retries', 3, 0],
        ['description', 'One', ''],
    ] as const) {
        test(`${name} may stand on the definition, and be assigned on the class, which wins`, () => {
            const plan = define({ [name]: onDefinition, run() {} });
            assert.deepEqual([plan.settings[name], plan.problems], [onDefinition, []]);
            const assign = function (this: BackgroundJobClass) {
                Object.assign(this, { [name]: onClass });
            };
            assert.deepEqual(define({ meta: assign, run() {} }, 'class-only').settings[name], onClass);
            const both = define({ meta: assign, [name]: onDefinition, run() {} });
            assert.deepEqual([both.settings[name], both.problems], [onClass, []]);
        });
    }

    test("may come from a mixin that several jobs include, and is that job's own", () => {
        const polite = { retries: 4, overlap: 'queue' };
        const { settings } = define({
            meta() {
                this.include(polite);
                this.assignProps({ timezone: 'Asia/Tokyo' });
            },
            overlap: 'skip',
            run() {},
        });
        // The definition comes after what it includes.
        assert.deepEqual([settings.retries, settings.overlap, settings.timezone], [4, 'skip', 'Asia/Tokyo']);
        assert.equal(define({ run() {} }, 'other').settings.retries, 0);
    });
});

describe('what is wrong with a job', () => {
    const assertOneProblem = (plan: ReturnType<typeof define>, reason: RegExp, severity = 'error') => {
        assert.equal(plan.problems.length, 1, JSON.stringify(plan.problems));
        const [problem] = plan.problems;
        assert.equal(problem?.job, 'my-task');
        assert.equal(problem?.file, FILE);
        assert.equal(problem?.severity, severity);
        assert.match(problem?.reason ?? '', reason);
    };
    const everyMinute = function (this: BackgroundJobClass) {
        this.schedule('* * * * *');
    };

    test('a bad value of a setting keeps the job from running, whichever way it is spelt', () => {
        const reason = /^its setting `timezone`, "Europe\/Londn", is not a time zone \(did you mean/;
        const settings = { timezone: 'Europe/Londn' };
        const assign = function (this: BackgroundJobClass) {
            this.schedule('* * * * *');
            Object.assign(this, settings);
        };
        for (const definition of [{ meta: everyMinute, ...settings }, { meta: assign }]) {
            const plan = define({ ...definition, run() {} });
            assertOneProblem(plan, reason);
            assert.deepEqual([plan.runnable, plan.schedules], [false, []]);
            BackgroundJob.unregister('my-task');
        }
    });

    test('a setting whose getter throws keeps the job from running', () => {
        const plan = define({
            get description(): string {
                throw new Error('not before the database is there');
            },
            run() {},
        });
        assertOneProblem(plan, /^its setting `description` threw: not before the database is there$/);
        assert.equal(plan.runnable, false);
    });

    test('a misspelt setting is a warning, whichever way it is spelt, and the job runs', () => {
        const onDefinition = define({ meta: everyMinute, multitenant: false, run() {} });
        assertOneProblem(
            onDefinition,
            /^its property `multitenant` is not a setting: did you mean `multiTenant`\?$/,
            'warning',
        );
        assert.equal(onDefinition.runnable, true);
        assert.equal(onDefinition.schedules.length, 1);
        BackgroundJob.unregister('my-task');

        const onClass = define({
            meta() {
                Object.assign(this, { timeOut: '5s' });
            },
            run() {},
        });
        assertOneProblem(onClass, /`timeOut` is not a setting: did you mean `timeout`\?/, 'warning');
    });

    test('any other property is the helper of the job', () => {
        assert.deepEqual(define({ deliver() {}, limit: 10, run() {} }).problems, []);
    });

    for (const thrown of [new Error('no API key'), 'no API key', undefined, null]) {
        test(`a meta() that throws ${thrown} keeps the job from running, and throws nowhere else`, () => {
            const plan = define({
                meta() {
                    this.schedule('* * * * *');
                    throw thrown;
                },
                run() {},
            });
            assertOneProblem(plan, thrown ? /^its meta\(\) threw: no API key$/ : /^its meta\(\) threw: /);
            assert.deepEqual([plan.runnable, plan.schedules], [false, []]);
            assert.equal(BackgroundJob.names.map((name) => BackgroundJob.for(name)).length, 1);
        });
    }

    // What a setting is read from, and what is thrown, has tests of its own: settings.test.ts, text/errors.test.ts.
    for (const what of [
        'an error whose message throws',
        'a proxy whose every trap throws',
        'a Symbol',
        'null',
    ])
        test(`${what} in its meta() or a getter makes a problem of a few words, and throws nowhere`, () => {
            const make = HOSTILE_THROWS[what] as () => unknown;
            const throws = () => {
                throw make();
            };
            const uses: Definition[] = [
                { meta: throws },
                {
                    meta() {
                        this.schedule(make() as string);
                    },
                },
                {
                    meta() {
                        this.schedule('* * * * *', make() as string);
                    },
                },
                Object.defineProperty({}, 'retries', { enumerable: true, get: throws }),
            ];
            for (const use of uses) {
                const { problems } = define(
                    Object.defineProperty(use, 'run', { value() {}, enumerable: true }),
                );
                BackgroundJob.unregister('my-task');
                for (const { reason } of problems) assert.ok(reason.length < 5_000, reason);
            }
        });

    test('a job without run() cannot run', () => {
        for (const definition of [{}, { run: 'now' }, { run: null }]) {
            const plan = define(definition);
            assertOneProblem(plan, /^it has no run\(\): add `run\(\)\{ \.\.\. \}`$/);
            assert.equal(plan.runnable, false);
            BackgroundJob.unregister('my-task');
        }
    });

    const badSchedules: [unknown[], RegExp][] = [
        [['60 * * * *'], /^bad schedule "60 \* \* \* \*": /],
        [['* * * * *', new Date(0)], /^bad schedule "\* \* \* \* \*": args\[0\] is a Date/],
        [[], /^bad schedule undefined: a crontab is a string/],
        [[Symbol('x')], /^bad schedule Symbol\(x\): a crontab is a string/],
    ];
    for (const [declaration, reason] of badSchedules) {
        test(`the schedule ${declaration.map(String)} is bad, throws nothing, and leaves the good ones in force`, () => {
            const plan = define({
                meta() {
                    this.schedule(...(declaration as [string]));
                    this.schedule('30 6 * * *');
                },
                run() {},
            });
            assertOneProblem(plan, reason);
            assert.equal(plan.runnable, true, 'it can still be run by hand, and by its good schedules');
            assert.deepEqual(
                plan.schedules.map(({ crontab }) => crontab),
                ['30 6 * * *'],
            );
        });
    }

    test('all of it is reported, not the first thing alone', () => {
        const plan = define({
            meta() {
                this.schedule('60 * * * *');
                this.schedule('0 25 * * *');
            },
            retries: -1,
            timeout: 5,
            overlaps: 'skip',
        });
        assert.deepEqual(
            plan.problems.map(({ severity, reason }) => [severity, reason.split(/[,:]/)[0]]),
            [
                ['error', 'its setting `timeout`'],
                ['error', 'its setting `retries`'],
                ['error', 'it has no run()'],
                ['error', 'bad schedule "60 * * * *"'],
                ['error', 'bad schedule "0 25 * * *"'],
                ['warning', 'its property `overlaps` is not a setting'],
            ],
        );
    });
});

describe('the time zone of a schedule', () => {
    const slot = (definition: Definition, botTimezone?: string) => {
        define({
            ...definition,
            run() {},
        });
        const [schedule] = planJob('my-task', botTimezone).schedules;
        return new Date((schedule?.next(NEXT_YEAR) ?? 0) * 1000).toISOString().slice(11, 16);
    };
    const atSix = (crontab: string) =>
        function (this: BackgroundJobClass) {
            this.schedule(crontab);
        };

    test("is the process's, the config's, the job's or its own, from the farthest to the nearest", () => {
        assert.equal(slot({ meta: atSix('0 6 * * *') }), '06:00', 'the process of this test is in UTC');
        assert.equal(slot({ meta: atSix('0 6 * * *') }, 'Asia/Tokyo'), '21:00');
        assert.equal(slot({ meta: atSix('0 6 * * *'), timezone: 'America/New_York' }, 'Asia/Tokyo'), '11:00');
        const own = atSix('CRON_TZ=Asia/Kolkata 0 6 * * *');
        BackgroundJob.unregister('my-task');
        assert.equal(slot({ meta: own, timezone: 'America/New_York' }, 'Asia/Tokyo'), '00:30');
    });
});

test('a file that made no job has one problem: the latest', () => {
    const file = '/app/lib/background_jobs/b.js';
    const first = { job: 'b', file, severity: 'error', kind: 'no-definition', reason: 'is empty' } as const;
    const second = { ...first, kind: 'import-failed', reason: 'cannot be imported' } as const;
    for (const problem of [first, second]) {
        brokenFiles.set(file, problem);
        assert.deepEqual(brokenFileProblems(), [problem]);
    }
});
