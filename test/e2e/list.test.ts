import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import stringWidth from 'string-width';
import { normalise } from '../support/console_page.js';
import { assertGolden } from '../support/golden.js';
import { backgroundJobs, makeApp } from '../support/installed_app.js';
import { NO_TERMINAL, plain, startInTerminal } from '../support/terminal.js';

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
    await app.call(['run-background-job', 'fails']);
    await app.call(['pause-background-job', 'sweep']);
    return app;
}

const readable = (output: string, root: string) => normalise(output.replaceAll(root, '/app'));

describe('list-background-jobs', () => {
    test('tells how each job stands, a line for each schedule in a pipe', async () => {
        const app = await makeLivedInApp();
        const { code, stdout, stderr } = await app.call(LIST);
        assert.deepEqual([code, stderr], [0, '']);
        await assertGolden('list', readable(stdout, app.root));
    });

    test('says how to make the first job', async () => {
        const app = await makeApp();
        const { code, stdout } = await app.call(LIST);
        assert.equal(code, 0);
        assert.match(stdout, / {2}pinstripe-bot generate-background-job --name my-task\n/);
    });

    test('has JSON for programs', async () => {
        const app = await makeLivedInApp();
        const words = ['list-background-jobs', '--json', '--next', '3'];
        const { version, jobs, problems, historyTrouble } = JSON.parse((await app.call(words)).stdout);
        assert.deepEqual([version, historyTrouble], [1, null]);
        assert.deepEqual(
            jobs.map(({ name, state }: Record<string, unknown>) => `${name} ${state}`),
            ['daily-report scheduled', 'fails scheduled', 'sweep invalid', 'unfinished invalid'],
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
        const sorted = await app.call(['list-background-jobs', '--sort', 'next', '--timezone', 'Asia/Tokyo']);
        assert.match(sorted.stdout, /NEXT \(Asia\/Tokyo\)[\s\S]*\nsweep [\s\S]*\n(daily-report|fails) /);
        const nonsense = ['--sort', 'x', '--next', '0', '--timezone', 'Europe/Lundun'];
        assert.equal((await app.call([...LIST, ...nonsense])).code, 2);
    });

    test('tells of files that nobody imports, rather than of no jobs', async () => {
        const app = await makeApp({ 'lib/background_jobs/sweep.js': 'export default { run(){} };' });
        const { code, stdout, stderr } = await app.call(LIST);
        assert.deepEqual([code, stdout], [0, '']);
        assert.match(
            stderr,
            /lib\/background_jobs: it has no _file_importer\.js: .* \(run pinstripe-bot init/,
        );
    });

    test('keeps what a job calls itself from moving the cursor, and names a file by its own name', async () => {
        const app = await makeApp(
            backgroundJobs({
                日本語: 'export default { run(){} };',
                throws: `export default { meta(){ throw new Error('no way\\n\\u001b[31msecond'); }, run(){} };`,
            }),
        );
        const { stdout } = await app.call(LIST);
        assert.match(stdout, /^日本語\.js +invalid$/m);
        assert.match(stdout, /its meta\(\) threw: no way \\u001b\[31msecond$/m);
        assert.ok(!stdout.includes(ESCAPE));
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
        const { stdout, stderr } = await app.call(LIST);
        assert.equal(stderr, '');
        assert.match(stdout, /^long .* running for \d+ s$/m);
        assert.match(stdout, /^tick .* succeeded \d+ s ago, took /m);
        await server.ended('SIGKILL');
    });

    for (const columns of [80, 140]) {
        test(`has lines that fit on a terminal of ${columns} columns`, async () => {
            const app = await makeLivedInApp();
            const { stdout } = await app.call(LIST, { columns });
            const [table = ''] = stdout.split('Problems:');
            for (const line of table.split('\n')) assert.ok(stringWidth(line) <= columns, line);
            await assertGolden(`list-${columns}`, readable(stdout, app.root));
        });
    }

    test('has colours on a terminal, and obeys NO_COLOR', { skip: NO_TERMINAL }, async () => {
        const app = await makeLivedInApp();
        const coloured = await startInTerminal(app, 'pinstripe-bot', LIST).ended();
        assert.ok(coloured.stdout.includes(`${ESCAPE}31mfailed`), coloured.stdout);
        await assertGolden('list-80', readable(plain(coloured.stdout), app.root));
        const bare = await startInTerminal(app, 'pinstripe', LIST, { env: { NO_COLOR: '1' } }).ended();
        assert.ok(!bare.stdout.includes(ESCAPE), bare.stdout);
        assert.match(bare.stdout, /daily-report/);
    });
});
