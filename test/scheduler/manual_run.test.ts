import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
    BackgroundJobClass,
    BackgroundJobDefinition,
    BackgroundJobInstance,
} from '../../types/background_job.js';
import { createBot, openApp, within } from '../support/fixture_app.js';

await openApp({ 'pinstripe.config.js': "export default { bot: { log: 'silent' } };" });
const { BackgroundJob } = await import('../../lib/index.js');
const { Workspace } = await import('../../lib/framework.js');

let notes: unknown[];

beforeEach(() => {
    notes = [];
});

afterEach(() => {
    for (const name of BackgroundJob.names) BackgroundJob.unregister(name);
});

const register = (name: string, run: BackgroundJobDefinition['run'], settings: object = {}) =>
    BackgroundJob.register(name, { ...settings, run });

/** Asks as an app does: `await this.runBackgroundJob(name, ...args)`. */
const runBackgroundJob = (name: string, ...args: unknown[]) =>
    within(
        Workspace.run(async function () {
            return this['runBackgroundJob'](name, ...args);
        }),
        `the run of ${name}`,
    );

/** A job whose runs, those to come included, go on until it is told to end. */
function registerSlow(name: string, settings: object = {}) {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
        end = resolve;
    });
    let announceStart = () => {};
    const hasStarted = new Promise<void>((resolve) => {
        announceStart = resolve;
    });
    register(
        name,
        async function (this: BackgroundJobInstance) {
            notes.push('started');
            announceStart();
            const aborted = new Promise((_resolve, reject) => {
                this.signal.addEventListener('abort', () => reject(this.signal.reason));
            });
            await Promise.race([ended, aborted]);
            notes.push('ended');
        },
        settings,
    );
    return { hasStarted, end };
}

describe('this.runBackgroundJob(name, ...args)', () => {
    test('runs one job now, with its args, and resolves when it has ended', async () => {
        register('my-task', async (...args: unknown[]) => {
            await nextTurn();
            notes.push(args);
        });
        register('other', () => void notes.push('other'));
        await runBackgroundJob('my-task', 'a', { b: [1] });
        assert.deepEqual(notes, [['a', { b: [1] }]]);
    });

    test('finds the job by any spelling of its name', async () => {
        register('reports/my-task', () => void notes.push('ran'));
        for (const name of ['Reports/MyTask', 'reports/my-task', 'reports/my_task'])
            await runBackgroundJob(name);
        assert.equal(notes.length, 3);
    });

    test('makes a manual run of no slot', async () => {
        register('my-task', function () {
            notes.push(this.currentRun);
        });
        const [run] = await runBackgroundJob('my-task');
        const { scheduledAt, manual, attempt, tenant, lateBy } =
            notes[0] as BackgroundJobInstance['currentRun'];
        assert.deepEqual(
            { scheduledAt, manual, attempt, tenant, lateBy },
            { scheduledAt: undefined, manual: true, attempt: 1, tenant: undefined, lateBy: 0 },
        );
        assert.equal(run.outcome, 'succeeded');
        assert.equal(run.scheduledAt, undefined);
    });

    test('hands over a copy of the args', async () => {
        register('mutates', (options: { list: number[] }) => void options.list.push(2));
        const options = { list: [1] };
        await runBackgroundJob('mutates', options);
        assert.deepEqual(options, { list: [1] });
    });

    test('refuses args that are no JSON, and runs nothing', async () => {
        register('my-task', () => void notes.push('ran'));
        await assert.rejects(runBackgroundJob('my-task', 'a', { since: new Date() }), {
            name: 'BadScheduleError',
            message: /args\[1\]\.since is a Date: pass its toISOString\(\)/,
        });
        assert.deepEqual(notes, []);
    });

    test('rejects an unknown name and says what was probably meant', async () => {
        register('my-cleanup-task', () => {});
        await assert.rejects(runBackgroundJob('MyClenupTask'), {
            message: 'There is no background job "MyClenupTask" (did you mean "my-cleanup-task"?).',
        });
        await assert.rejects(runBackgroundJob('reports'), {
            message: 'There is no background job "reports": there is only my-cleanup-task.',
        });
        await assert.rejects(runBackgroundJob(''), {
            message: 'There is no background job "": there is only my-cleanup-task.',
        });
    });

    test('names the jobs there are, where they are few, and repeats no endless name', async () => {
        const unknown = (jobs: string) => ({
            message: `There is no background job "${'x'.repeat(100)}…": ${jobs}.`,
        });
        const wanted = 'x'.repeat(101);
        await assert.rejects(runBackgroundJob(wanted), unknown('there is none at all yet'));
        for (const name of ['e', 'd', 'c', 'b', 'a']) register(name, () => {});
        await assert.rejects(runBackgroundJob(wanted), unknown('there are a, b, c, d, e'));
        register('f', () => {});
        await assert.rejects(runBackgroundJob(wanted), unknown('see list-background-jobs'));
    });

    for (const name of [undefined, null, 5, {}]) {
        test(`rejects the name ${JSON.stringify(name)} as one that nothing has`, async () => {
            register('my-task', () => void notes.push('ran'));
            await assert.rejects(runBackgroundJob(name as string), /^Error: There is no background job/);
            assert.deepEqual(notes, []);
        });
    }

    test('rejects a job that cannot run, with its file and the reason', async () => {
        register('bad-setting', () => {}, {
            retries: -1,
            meta(this: BackgroundJobClass) {
                this.filePaths.push('/app/lib/background_jobs/bad_setting.js');
            },
        });
        await assert.rejects(runBackgroundJob('bad-setting'), {
            message:
                /^The background job "bad-setting" cannot run \(\/app\/lib\/background_jobs\/bad_setting\.js\): its setting `retries`, -1, is not/,
        });
        BackgroundJob.register('no-run', {});
        await assert.rejects(runBackgroundJob('no-run'), {
            message: 'The background job "no-run" cannot run: it has no run(): add `run(){ ... }`',
        });
    });

    test('runs a job whose schedules are bad, whose environments are others, and that has no schedule', async () => {
        register('bad-schedule', () => void notes.push('bad-schedule'), {
            meta(this: BackgroundJobClass) {
                this.schedule('60 * * * *');
            },
        });
        register('elsewhere', () => void notes.push('elsewhere'), { environments: ['production'] });
        register('unscheduled', () => void notes.push('unscheduled'));
        for (const name of BackgroundJob.names) await runBackgroundJob(name);
        assert.deepEqual(notes, ['bad-schedule', 'elsewhere', 'unscheduled']);
    });

    test("rejects with the job's own error", async () => {
        const error = new RangeError('mine');
        register('throws', () => {
            throw error;
        });
        await assert.rejects(runBackgroundJob('throws'), (thrown) => thrown === error);
    });

    test('rejects with an Error where the job threw none', async () => {
        register('text', () => Promise.reject('a text'));
        await assert.rejects(runBackgroundJob('text'), {
            message: 'it threw "a text", which is not an Error',
            cause: 'a text',
        });
    });

    test('rejects when the job reaches its timeout', async () => {
        registerSlow('hung', { timeout: '5ms' });
        await assert.rejects(runBackgroundJob('hung'), {
            name: 'TimeoutError',
            message: 'the run reached its timeout',
        });
    });

    test('rejects after the last retry, and resolves where one succeeds', async () => {
        let attempts = 0;
        const settings = { retries: 2, retryDelay: '0s' };
        const attempt = () => {
            attempts += 1;
            if (attempts < 3) throw new Error(`attempt ${attempts}`);
        };
        register('lucky', attempt, settings);
        await runBackgroundJob('lucky');
        assert.equal(attempts, 3);
        register(
            'unlucky',
            function () {
                throw new Error(`attempt ${this.currentRun.attempt}`);
            },
            settings,
        );
        await assert.rejects(runBackgroundJob('unlucky'), /^Error: attempt 3$/);
    });

    test('keeps the workspace that asks out of it', async () => {
        register('my-task', function (this: BackgroundJobInstance) {
            notes.push(this.context['mine'], this.initialParams['mine']);
        });
        await Workspace.run(async function () {
            this.context['mine'] = 1;
            this.initialParams['mine'] = 1;
            await this['runBackgroundJob']('my-task');
            assert.equal(this.context['mine'], 1);
        });
        assert.deepEqual(notes, [undefined, undefined]);
    });
});

describe('a busy lane', () => {
    test('rejects, says for how long, and is free again afterwards', async () => {
        const { hasStarted, end } = registerSlow('slow');
        const first = runBackgroundJob('slow');
        await hasStarted;
        await assert.rejects(runBackgroundJob('slow'), {
            message:
                /^The background job "slow" did not run: its last run has been going on for [\d.]+ m?s\.$/,
        });
        end();
        await first;
        await runBackgroundJob('slow');
        assert.deepEqual(notes, ['started', 'ended', 'started', 'ended']);
    });

    test('is one of these args alone, in whichever order their keys were written', async () => {
        const { hasStarted, end } = registerSlow('slow');
        const first = runBackgroundJob('slow', { a: 1, b: 2 });
        await hasStarted;
        await assert.rejects(runBackgroundJob('slow', { b: 2, a: 1 }), /did not run/);
        const second = runBackgroundJob('slow', { a: 2 });
        end();
        await Promise.all([first, second]);
    });

    test('is none where runs may overlap', async () => {
        const { hasStarted, end } = registerSlow('slow', { overlap: 'allow' });
        const first = runBackgroundJob('slow');
        await hasStarted;
        const second = runBackgroundJob('slow');
        while (notes.length < 2) await nextTurn();
        assert.deepEqual(notes, ['started', 'started']);
        end();
        await Promise.all([first, second]);
    });

    test('lets one run wait under `queue`, and refuses the next', async () => {
        const { hasStarted, end } = registerSlow('slow', { overlap: 'queue' });
        const first = runBackgroundJob('slow');
        await hasStarted;
        const second = runBackgroundJob('slow');
        const third = runBackgroundJob('slow');
        await assert.rejects(third, /did not run/);
        assert.deepEqual(notes, ['started']);
        end();
        await Promise.all([first, second]);
        assert.deepEqual(notes, ['started', 'ended', 'started', 'ended']);
    });

    test('is taken over under `replace`, and the first run rejects', async () => {
        const { hasStarted, end } = registerSlow('slow', { overlap: 'replace' });
        const first = assert.rejects(runBackgroundJob('slow'), {
            message: 'The background job "slow" was aborted (replaced).',
        });
        await hasStarted;
        const second = runBackgroundJob('slow');
        await first;
        end();
        await second;
        assert.deepEqual(notes, ['started', 'started', 'ended']);
    });
});

describe('a job that asks for itself', () => {
    const message = (name: string) =>
        `The background job "${name}" cannot run from within itself: it would wait for itself.`;

    for (const overlap of ['skip', 'queue', 'replace']) {
        test(`is refused at once under \`${overlap}\``, async () => {
            register(
                'a',
                function (this: BackgroundJobInstance) {
                    return this['runBackgroundJob']('a');
                },
                { overlap },
            );
            await assert.rejects(runBackgroundJob('a'), { message: message('a') });
        });
    }

    test('is refused at once through another job', async () => {
        register('a', function (this: BackgroundJobInstance) {
            return this['runBackgroundJob']('b');
        });
        register(
            'b',
            function (this: BackgroundJobInstance) {
                return this['runBackgroundJob']('a');
            },
            { overlap: 'queue' },
        );
        await assert.rejects(runBackgroundJob('a'), { message: message('a') });
        await assert.rejects(runBackgroundJob('b'), { message: message('b') });
    });

    test('is refused at once when the clock, or runBackgroundJobs, started it', async () => {
        const { bot } = await createBot();
        register('a', () => bot.runBackgroundJob('a'), {
            meta(this: BackgroundJobClass) {
                this.schedule('* * * * *');
            },
        });
        const [run] = await within(bot.runBackgroundJobs(0), 'the run');
        assert.equal(run?.error?.message, message('a'));
    });

    test('may go on after the refusal', async () => {
        register('a', async function (this: BackgroundJobInstance) {
            await assert.rejects(this['runBackgroundJob']('a'), { message: message('a') });
            notes.push('went on');
        });
        await runBackgroundJob('a');
        assert.deepEqual(notes, ['went on']);
    });

    test('may do so with other args, and where it may overlap', async () => {
        register('countdown', async function (this: BackgroundJobInstance, count: number) {
            notes.push(count);
            if (count > 0) await this['runBackgroundJob']('countdown', count - 1);
        });
        await runBackgroundJob('countdown', 3);
        assert.deepEqual(notes, [3, 2, 1, 0]);
        register(
            'nested',
            async function (this: BackgroundJobInstance) {
                notes.push('nested');
                if (notes.length < 8) await this['runBackgroundJob']('nested');
            },
            { overlap: 'allow' },
        );
        await runBackgroundJob('nested');
        assert.equal(notes.length, 8);
    });

    test('may ask for another job, which runs in a workspace of its own', async () => {
        register('outer', async function (this: BackgroundJobInstance) {
            await this['runBackgroundJob']('inner', 1);
            await this['runBackgroundJob']('inner', 2);
            notes.push(this.currentRun.job);
        });
        register('inner', function (this: BackgroundJobInstance, count: number) {
            notes.push(`${this.currentRun.job} ${count}`);
        });
        await runBackgroundJob('outer');
        assert.deepEqual(notes, ['inner 1', 'inner 2', 'outer']);
    });

    test('is not what somebody asks who was started by a run that has ended', async () => {
        let later: Promise<unknown> | undefined;
        let release = () => {};
        const ended = new Promise<void>((resolve) => {
            release = resolve;
        });
        register('a', function (this: BackgroundJobInstance) {
            notes.push('ran');
            later ??= ended.then(() => runBackgroundJob('a'));
        });
        await runBackgroundJob('a');
        release();
        await later;
        assert.deepEqual(notes, ['ran', 'ran']);
    });
});
