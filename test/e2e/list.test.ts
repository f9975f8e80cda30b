import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const LIST = ['list-background-jobs'];

const JOBS = backgroundJobs({
    daily_report: `export default {
        description: 'The report.',
        timezone: 'Europe/London',
        meta(){ this.schedule('0 6 * * *', 'sales'); },
        run(){}
    };`,
    fails: `export default {
        meta(){ this.schedule('0 0 * * *'); },
        run(){ throw new Error('no paper'); }
    };`,
    sweep: `export default {
        meta(){ this.schedule('*/5 * * * *'); this.schedule('60 * * * *'); },
        run(){}
    };`,
    unfinished: 'export default { run(){ ',
});

// What it prints stands in docs/commands/list-background-jobs.md, and is compared with that.
describe('list-background-jobs', { concurrency: 2 }, () => {
    test('says how to make the first job', async () => {
        const app = await makeApp();
        const { code, stdout } = await app.call(LIST);
        assert.equal(code, 0);
        assert.match(stdout, / {2}npx pinstripe-bot generate-background-job --name my-task\n/);
    });

    test('says below the table, and in its JSON, what is wrong with any of the jobs', async () => {
        const { call } = await makeApp(JOBS);
        const sentences =
            /\nProblems:\n\n {2}invalid sweep \(.*\): bad schedule "60 .*\n {2}invalid unfinished \(.*\n/;
        assert.match((await call(LIST)).stdout, sentences);
        const { stdout } = await call([...LIST, '--json']);
        const { jobs, problems, historyTrouble } = JSON.parse(stdout);
        const invalid = jobs.filter(({ state }: { state: string }) => state === 'invalid');
        const namesOf = (all: { name?: string; job?: string }[]) => all.map(({ name, job }) => name ?? job);
        assert.deepEqual(namesOf(invalid), ['sweep', 'unfinished']);
        assert.deepEqual([namesOf(problems), historyTrouble], [['sweep', 'unfinished'], null]);
    });

    test('sorts by what runs next, and shows another zone', async () => {
        const app = await makeApp(JOBS);
        const { stdout } = await app.call([...LIST, '--sort', 'next', '--timezone', 'Asia/Tokyo']);
        assert.match(stdout, /NEXT \(Asia\/Tokyo\)[\s\S]*\nsweep [\s\S]*\n(daily-report|fails) /);
    });

    test('tells of files that nobody imports, rather than of no jobs', async () => {
        const app = await makeApp({ 'lib/background_jobs/sweep.js': 'export default { run(){} };' });
        const { code, stdout, stderr } = await app.call(LIST);
        assert.deepEqual([code, stdout], [0, '']);
        assert.match(
            stderr,
            /lib\/background_jobs: it has no _file_importer\.js: .* \(run npx pinstripe-bot init/,
        );
    });

    test('lists the jobs although the journal cannot be read, and says why', async () => {
        const app = await makeApp(JOBS);
        await fs.outputFile(`${app.root}/bot_development.db`, 'this is no database '.repeat(100));
        const { code, stdout, stderr } = await app.call(LIST);
        assert.equal(code, 0);
        assert.match(stdout, /^daily-report /m);
        assert.match(stderr, /^The journal .*bot_development\.db cannot be read: /);
    });

    test('reads the journal of a running server', async () => {
        const app = await makeApp(
            backgroundJobs({
                tick: `export default { meta(){ this.schedule('* * * * * *'); }, run(){} };`,
                long: `export default {
                    meta(){ this.schedule('* * * * * *'); },
                    run(){ return new Promise((resolve) => this.signal.addEventListener('abort', resolve)); }
                };`,
            }),
        );
        const { process: server } = await app.serve();
        await server.printed(/succeeded tick/);
        const { stdout, stderr } = await app.run('pinstripe-bot', LIST);
        assert.equal(stderr, '');
        assert.match(stdout, /^long .* running for \d+ s$/m);
        assert.match(stdout, /^tick .* succeeded \d+ s ago, took /m);
        await server.ended('SIGKILL');
    });
});
