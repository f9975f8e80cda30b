import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import { normalise } from '../support/console_page.js';
import { assertGolden } from '../support/golden.js';
import { BINARIES, backgroundJobs, makeApp } from '../support/installed_app.js';
import { NO_TERMINAL, startInTerminal } from '../support/terminal.js';

const LIST = ['list-background-jobs'];
const ESCAPE = '\u001b[';

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

/** An app in which one job has failed, and one is paused. */
async function makeLivedInApp() {
    const app = await makeApp(JOBS);
    await app.run('pinstripe-bot', ['run-background-job', 'fails']);
    await app.run('pinstripe-bot', ['pause-background-job', 'sweep']);
    return app;
}

const readable = (output: string, root: string) => normalise(output.replaceAll(root, '/app'));

describe('list-background-jobs', { concurrency: 2 }, () => {
    for (const binary of BINARIES) {
        test(`of ${binary} tells how each job stands, a line for each schedule in a pipe`, async () => {
            const app = await makeLivedInApp();
            const { code, stdout, stderr } = await app.run(binary, LIST);
            assert.deepEqual([code, stderr], [0, '']);
            await assertGolden('list', readable(stdout, app.root));
            assert.ok(!stdout.includes(ESCAPE));
        });
    }

    test('says how to make the first job', async () => {
        const app = await makeApp();
        const { code, stdout } = await app.run('pinstripe-bot', LIST);
        assert.equal(code, 0);
        assert.match(stdout, / {2}npx pinstripe-bot generate-background-job --name my-task\n/);
    });

    test('has JSON for programs', async () => {
        const app = await makeLivedInApp();
        const { stdout } = await app.run('pinstripe', [...LIST, '--json', '--next', '3']);
        const { version, jobs, problems, historyTrouble } = JSON.parse(stdout);
        assert.deepEqual([version, historyTrouble], [1, null]);
        assert.deepEqual(
            jobs.map(({ name, state, description }: Record<string, unknown>) => [name, state, description]),
            [
                ['daily-report', 'scheduled', 'The report.'],
                ['fails', 'scheduled', null],
                ['sweep', 'invalid', null],
                ['unfinished', 'invalid', null],
            ],
        );
        const [report, fails, sweep] = jobs;
        const [schedule] = report.schedules;
        assert.deepEqual(schedule.args, ['sales']);
        assert.equal(schedule.later.length, 2);
        for (const slot of [schedule.next, ...schedule.later])
            assert.match(slot, /^\d{4}-\d\d-\d\dT0[56]:00:00Z$/);
        assert.deepEqual(
            [fails.byHand.outcome, fails.byHand.runs[0].error.message, fails.byHand.runs[0].manual],
            ['failed', 'no paper', true],
        );
        assert.equal(fails.last, null);
        assert.equal(sweep.paused, true);
        assert.deepEqual(
            problems.map(({ job }: { job: string }) => job),
            ['sweep', 'unfinished'],
        );
    });

    test('sorts by what runs next, shows another zone, and refuses nonsense', async () => {
        const app = await makeApp(JOBS);
        const sorted = await app.run('pinstripe', [...LIST, '--sort', 'next', '--timezone', 'Asia/Tokyo']);
        assert.match(sorted.stdout, /NEXT \(Asia\/Tokyo\)[\s\S]*\nsweep [\s\S]*\n(daily-report|fails) /);
        const nonsense = ['--sort', 'x', '--next', '0', '--timezone', 'Europe/Lundun'];
        for (const binary of BINARIES) {
            const { code } = await app.run(binary, [...LIST, ...nonsense]);
            assert.equal(code, binary === 'pinstripe' ? 1 : 2);
        }
    });

    test('tells of files that nobody imports, rather than of no jobs', async () => {
        const app = await makeApp({ 'lib/background_jobs/sweep.js': 'export default { run(){} };' });
        const { code, stdout, stderr } = await app.run('pinstripe-bot', LIST);
        assert.deepEqual([code, stdout], [0, '']);
        assert.match(
            stderr,
            /lib\/background_jobs: it has no _file_importer\.js: .* \(run npx pinstripe-bot init/,
        );
    });

    test('lists the jobs although the journal cannot be read, and says why', async () => {
        const app = await makeApp(JOBS);
        await fs.outputFile(`${app.root}/bot_development.db`, 'this is no database '.repeat(100));
        const { code, stdout, stderr } = await app.run('pinstripe-bot', LIST);
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

    test('obeys NO_COLOR on a terminal', { skip: NO_TERMINAL }, async () => {
        const env = { NO_COLOR: '1' };
        const { stdout } = await startInTerminal(await makeApp(JOBS), 'pinstripe', LIST, { env }).ended();
        assert.ok(!stdout.includes(ESCAPE), stdout);
        assert.match(stdout, /daily-report/);
    });
});
