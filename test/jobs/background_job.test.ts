import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { BackgroundJobClass } from '../../types/background_job.js';
import { loadApp, openApp } from '../support/fixture_app.js';
import { job } from '../support/jobs.js';

const app = await openApp({
    'lib/background_jobs/my_cleanup_task.js': `
        export default {
            meta(){
                this.schedule('*/5 * * * *');
                this.schedule('0 * * * *', 'hourly-cleanup', { deep: true });
            },
            run(){}
        };
    `,
    'lib/background_jobs/reports/DailyDigest.js': 'export default { run(){} };',
});
const { BackgroundJob } = await import('../../lib/index.js');
const { Workspace } = await import('../../lib/framework.js');
await loadApp(app);

const FROM_FILES = ['my-cleanup-task', 'reports/daily-digest'];

const every = (...crontabs: string[]) => job(crontabs).meta;

const messageOfMeta = (name: string) => (BackgroundJob.for(name) as { metaError?: Error }).metaError?.message;

afterEach(() => {
    for (const name of BackgroundJob.names.filter((name) => !FROM_FILES.includes(name)))
        BackgroundJob.unregister(name);
});

describe('the registry of background jobs', () => {
    test('finds the jobs by their files, nested folders included', () => {
        assert.deepEqual(BackgroundJob.names, FROM_FILES);
    });

    test('gives the class of a job, with its name, files and schedules as [crontab, ...args]', () => {
        const Job = BackgroundJob.for('my-cleanup-task');
        assert.equal(Job.name, 'my-cleanup-task');
        assert.deepEqual(Job.filePaths, [`${app.root}/lib/background_jobs/my_cleanup_task.js`]);
        assert.deepEqual(Job.schedules, [['*/5 * * * *'], ['0 * * * *', 'hourly-cleanup', { deep: true }]]);
        assert.deepEqual(BackgroundJob.for('reports/daily-digest').schedules, []);
    });

    test('knows one job by MyTask, my-task and my_task', () => {
        BackgroundJob.register('MyTask', { run() {} });
        assert.deepEqual(
            BackgroundJob.names,
            ['my-cleanup-task', 'my-task', 'reports/daily-digest'],
            'in order',
        );
        assert.equal(BackgroundJob.for('my_task'), BackgroundJob.for('my-task'));
        assert.equal(BackgroundJob.for('MyTask'), BackgroundJob.for('my-task'));
        assert.equal(BackgroundJob.for('Reports/DailyDigest'), BackgroundJob.for('reports/daily_digest'));
        BackgroundJob.unregister('my_task');
        assert.deepEqual(BackgroundJob.names, FROM_FILES);
    });

    test('does not double schedules when other jobs are registered', () => {
        for (let index = 0; index < 5; index++) {
            BackgroundJob.for('my-cleanup-task');
            BackgroundJob.register(`other-${index}`, { run() {} });
        }
        assert.equal(BackgroundJob.for('my-cleanup-task').schedules.length, 2);
    });

    test('keeps the schedules of jobs, and its own, apart', () => {
        BackgroundJob.register('a', { meta: every('1 * * * *'), run() {} });
        BackgroundJob.register('b', { meta: every('2 * * * *', '3 * * * *'), run() {} });
        assert.deepEqual(BackgroundJob.for('a').schedules, [['1 * * * *']]);
        assert.deepEqual(BackgroundJob.for('b').schedules, [['2 * * * *'], ['3 * * * *']]);
        assert.deepEqual((BackgroundJob as unknown as BackgroundJobClass).schedules, []);
    });

    test('schedule() can be chained, and throws for nothing', () => {
        const odd: unknown[] = ['60 * * * *', '', undefined, null, 5, {}, Symbol('x'), () => {}];
        BackgroundJob.register('chained', {
            meta(this: BackgroundJobClass) {
                let chain: BackgroundJobClass = this;
                for (const crontab of odd) chain = chain.schedule(crontab as string);
            },
            run() {},
        });
        assert.deepEqual(
            BackgroundJob.for('chained').schedules.map(([crontab]) => crontab),
            odd,
        );
    });

    test('a second definition of a name adds to the first, as in every registry of the framework', () => {
        BackgroundJob.register('twice', { meta: every('1 * * * *'), run: () => 'first', kept: () => 'kept' });
        BackgroundJob.register('twice', { meta: every('2 * * * *'), run: () => 'second' });
        assert.deepEqual(BackgroundJob.for('twice').schedules, [['1 * * * *'], ['2 * * * *']]);
        const job = BackgroundJob.create('twice', {});
        assert.deepEqual([job.run(), job.kept()], ['second', 'kept']);
    });

    test('creates an instance of its own at each call, with the services of its context', async () => {
        BackgroundJob.register('counter', {
            run(this: { count?: number }) {
                this.count = (this.count ?? 0) + 1;
                return this.count;
            },
        });
        await Workspace.run(async function () {
            const jobs = [
                BackgroundJob.create('counter', this.context),
                BackgroundJob.create('counter', this.context),
            ];
            assert.deepEqual(
                jobs.map((job) => job.run()),
                [1, 1],
            );
            assert.equal(jobs[0].context, this.context);
            assert.equal(jobs[0].initialParams, this.initialParams);
        });
    });

    test('running a job that does not exist says so', () => {
        assert.throws(
            () => BackgroundJob.create('no-such-job', {}).run(),
            /There is no background job "no-such-job"/,
        );
        assert.deepEqual(BackgroundJob.names, FROM_FILES, 'asking for a name does not make a job of it');
    });

    test('a meta() that throws throws out of no loop over the registry', () => {
        BackgroundJob.register('bad', {
            meta() {
                throw new Error('no API key');
            },
            run() {},
        });
        BackgroundJob.register('good', { meta: every('* * * * *'), run() {} });
        const jobs = BackgroundJob.names.map((name) => BackgroundJob.for(name));
        assert.equal(jobs.length, 4);
        assert.equal(messageOfMeta('bad'), 'no API key');
        assert.equal(messageOfMeta('good'), undefined);
    });
});

test('what changed in the registry is known since any revision, by dasherized names', () => {
    const start = BackgroundJob.revision;
    assert.deepEqual(BackgroundJob.changedSince(start), []);
    BackgroundJob.register('NewTask', { run() {} });
    const later = BackgroundJob.revision;
    assert.ok(later > start);
    BackgroundJob.register('other', { run() {} });
    BackgroundJob.unregister('new_task');
    assert.deepEqual(BackgroundJob.changedSince(start).sort(), ['new-task', 'other']);
    assert.deepEqual(BackgroundJob.changedSince(later).sort(), ['new-task', 'other']);
    BackgroundJob.unregister('other');
    assert.deepEqual(BackgroundJob.changedSince(BackgroundJob.revision - 1), ['other']);
    for (const name of FROM_FILES) assert.ok(BackgroundJob.changedSince(0).includes(name));
});
