import assert from 'node:assert/strict';
import { hostname, userInfo } from 'node:os';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BackgroundJobInstance } from '../../types/background_job.js';
import { createBot, openApp, openRegistry, within } from '../support/fixture_app.js';
import { gate } from '../support/jobs.js';

await openApp({ 'pinstripe.config.js': "export default { bot: { log: 'silent' } };" });
const { BackgroundJob, notes, register } = await openRegistry();
const { Workspace } = await import('../../lib/framework.js');

/** What a job does that asks for another one. */
const asking = (wanted: string) =>
    function (this: BackgroundJobInstance) {
        return this['runBackgroundJob'](wanted);
    };

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
    const [end, start] = [gate(), gate()];
    register(
        name,
        [],
        async function (this: BackgroundJobInstance) {
            notes.push('started');
            start.open();
            const aborted = new Promise((_resolve, reject) => {
                this.signal.addEventListener('abort', () => reject(this.signal.reason));
            });
            await Promise.race([end.opened, aborted]);
            notes.push('ended');
        },
        settings,
    );
    return { hasStarted: start.opened, end: end.open };
}

describe('this.runBackgroundJob(name, ...args)', () => {
    test('runs one job now, with a copy of its args, as a manual run of no slot by the user of the process, and resolves', async () => {
        register('my-task', [], async function (name: string, options: { list: number[] }) {
            const { scheduledAt, manual, attempt, tenant, lateBy } = this.currentRun;
            options.list.push(2);
            await nextTurn();
            notes.push([name, options.list, scheduledAt, manual, attempt, tenant, lateBy]);
        });
        register('other', [], () => void notes.push('other'));
        const options = { list: [1] };
        const [run] = await runBackgroundJob('my-task', 'a', options);
        assert.deepEqual(notes, [['a', [1, 2], undefined, true, 1, undefined, 0]]);
        assert.deepEqual(options, { list: [1] });
        assert.deepEqual([run.outcome, run.scheduledAt], ['succeeded', undefined]);
        assert.equal(run.requestedBy, `${userInfo().username}@${hostname()}`);
    });

    test('refuses args that are no JSON, and runs nothing', async () => {
        register('my-task', [], () => void notes.push('ran'));
        await assert.rejects(runBackgroundJob('my-task', 'a', { since: new Date() }), {
            name: 'BadScheduleError',
            message: /args\[1\]\.since is a Date: pass its toISOString\(\)/,
        });
        assert.deepEqual(notes, []);
    });

    test('rejects an unknown name: says what was probably meant, or names the jobs, and repeats no endless name', async () => {
        const endless = 'x'.repeat(101);
        const refusals: [jobs: string[], wanted: string, shown: string, hint: string][] = [
            [[], endless, `${'x'.repeat(100)}…`, ': there is none at all yet'],
            [['my-cleanup-task'], 'MyClenupTask', 'MyClenupTask', ' (did you mean "my-cleanup-task"?)'],
            [[], 'reports', 'reports', ': there is only my-cleanup-task'],
            [[], '', '', ': there is only my-cleanup-task'],
            [['d', 'c', 'b', 'a'], 'reports', 'reports', ': there are a, b, c, d, my-cleanup-task'],
            [['f'], 'reports', 'reports', ': see list-background-jobs'],
        ];
        for (const [jobs, wanted, shown, hint] of refusals) {
            for (const name of jobs) register(name, [], () => {});
            const message = `There is no background job "${shown}"${hint}.`;
            await assert.rejects(runBackgroundJob(wanted), { message });
        }
        for (const name of [undefined, null, 5, {}])
            await assert.rejects(runBackgroundJob(name as string), /^Error: There is no background job/);
    });

    test('rejects a job that cannot run, with its file and the reason', async () => {
        register('bad-setting', [], () => {}, {
            retries: -1,
        });
        await assert.rejects(runBackgroundJob('bad-setting'), {
            message:
                /^The background job "bad-setting" cannot run \(\/app\/lib\/background_jobs\/bad-setting\.js\): its setting `retries`, -1, is not/,
        });
        BackgroundJob.register('no-run', {});
        await assert.rejects(runBackgroundJob('no-run'), {
            message: 'The background job "no-run" cannot run: it has no run(): add `run(){ ... }`',
        });
    });

    test('runs a job whose schedules are bad, whose environments are others, and that has no schedule', async () => {
        register('bad-schedule', '60 * * * *', () => void notes.push('bad-schedule'));
        register('elsewhere', [], () => void notes.push('elsewhere'), { environments: ['production'] });
        register('unscheduled', [], () => void notes.push('unscheduled'));
        for (const name of BackgroundJob.names) await runBackgroundJob(name);
        assert.deepEqual(notes, ['bad-schedule', 'elsewhere', 'unscheduled']);
    });

    test("rejects with the job's own error, with an Error where it threw none, and at its timeout", async () => {
        const error = new RangeError('mine');
        register('throws', [], () => Promise.reject(error));
        await assert.rejects(runBackgroundJob('throws'), (thrown) => thrown === error);
        register('text', [], () => Promise.reject('a text'));
        await assert.rejects(runBackgroundJob('text'), {
            message: 'it threw "a text", which is not an Error',
            cause: 'a text',
        });
        registerSlow('hung', { timeout: '5ms' });
        await assert.rejects(runBackgroundJob('hung'), {
            name: 'TimeoutError',
            message: 'the run reached its timeout',
        });
    });

    test('rejects after the last retry, and resolves where one succeeds', async () => {
        const failUntil = (last: number) =>
            function (this: BackgroundJobInstance) {
                const { attempt } = this.currentRun;
                notes.push(attempt);
                if (attempt < last) throw new Error(`attempt ${attempt}`);
            };
        const settings = { retries: 2, retryDelay: '0s' };
        register('lucky', [], failUntil(3), settings);
        await runBackgroundJob('lucky');
        assert.deepEqual(notes, [1, 2, 3]);
        register('unlucky', [], failUntil(4), settings);
        await assert.rejects(runBackgroundJob('unlucky'), /^Error: attempt 3$/);
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

    test('lets one run wait under `queue`, and refuses the next', async () => {
        const { hasStarted, end } = registerSlow('slow', { overlap: 'queue' });
        const first = runBackgroundJob('slow');
        await hasStarted;
        const second = runBackgroundJob('slow');
        await assert.rejects(runBackgroundJob('slow'), /did not run/);
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
    const refusal = (name: string) => ({
        message: `The background job "${name}" cannot run from within itself: it would wait for itself.`,
    });

    for (const overlap of ['skip', 'queue', 'replace']) {
        test(`is refused at once under \`${overlap}\`, and may go on`, async () => {
            const run = async function (this: BackgroundJobInstance) {
                await assert.rejects(this['runBackgroundJob']('a'), refusal('a'));
                notes.push('went on');
            };
            register('a', [], run, { overlap });
            await runBackgroundJob('a');
            assert.deepEqual(notes, ['went on']);
        });
    }

    test('is refused at once through another job', async () => {
        register('a', [], asking('b'));
        register('b', [], asking('a'), { overlap: 'queue' });
        await assert.rejects(runBackgroundJob('a'), refusal('a'));
        await assert.rejects(runBackgroundJob('b'), refusal('b'));
    });

    test('is refused at once when the clock, or runBackgroundJobs, started it', async () => {
        const { bot } = await createBot();
        register('a', '* * * * *', () => bot.runBackgroundJob('a'));
        const [run] = await within(bot.runBackgroundJobs(0), 'the run');
        assert.equal(run?.error?.message, refusal('a').message);
    });

    test('may do so with other args, and where it may overlap', async () => {
        register('countdown', [], async function (this: BackgroundJobInstance, count: number) {
            notes.push(count);
            if (count > 0) await this['runBackgroundJob']('countdown', count - 1);
        });
        await runBackgroundJob('countdown', 3);
        assert.deepEqual(notes.splice(0), [3, 2, 1, 0]);
        register(
            'nested',
            [],
            async function (this: BackgroundJobInstance) {
                notes.push('nested');
                if (notes.length < 4) await this['runBackgroundJob']('nested');
            },
            { overlap: 'allow' },
        );
        await runBackgroundJob('nested');
        assert.equal(notes.length, 4);
    });

    test('is not what somebody asks who was started by a run that has ended', async () => {
        let later: Promise<unknown> | undefined;
        const { opened, open } = gate();
        register('a', [], function (this: BackgroundJobInstance) {
            notes.push('ran');
            later ??= opened.then(() => runBackgroundJob('a'));
        });
        await runBackgroundJob('a');
        open();
        await later;
        assert.deepEqual(notes, ['ran', 'ran']);
    });
});
