import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { AppProcess } from '../support/app_process.js';
import { BINARIES, backgroundJobs, type InstalledApp, makeApp } from '../support/installed_app.js';

const ESCAPE = '\u001b[';

const JOBS = backgroundJobs({
    daily_report: `export default {
        description: 'The report.',
        timezone: 'Europe/London',
        meta(){ this.schedule('0 6 * * *', 'sales', { year: 2026 }); },
        run(){}
    };`,
    sweep: `export default {
        meta(){ this.schedule('*/5 * * * *'); this.schedule('60 * * * *'); },
        run(){}
    };`,
    unfinished: 'export default { run(){ ',
});

const LISTED = new RegExp(
    [
        '',
        'The following background jobs are available:',
        '',
        '  \\* daily-report  0 6 \\* \\* \\* \\(Europe/London\\) \\["sales",\\{"year":2026\\}\\]  next \\d{4}-\\d\\d-\\d\\dT0[56]:00:00Z',
        '  \\* sweep         \\*/5 \\* \\* \\* \\* +next \\S+:\\d[05]:00Z',
        '',
        'Problems:',
        '',
        '  \\* invalid unfinished \\(.*/unfinished\\.js\\): cannot be imported: SyntaxError in line 1: .*',
        '  \\* invalid sweep \\(.*/sweep\\.js\\): bad schedule "60 \\* \\* \\* \\*": .*',
        '',
        '$',
    ].join('\\n'),
);

describe('list-background-jobs', { concurrency: 2 }, () => {
    for (const binary of BINARIES) {
        test(`of ${binary} lists schedules, next slots and problems, without colours in a pipe`, async () => {
            const app = await makeApp(JOBS);
            const { code, stdout, stderr } = await app.run(binary, ['list-background-jobs']);
            assert.deepEqual([code, stderr], [0, '']);
            assert.match(stdout, LISTED);
            assert.ok(!stdout.includes(ESCAPE));
        });
    }

    test('says how to make the first job', async () => {
        const app = await makeApp();
        const { code, stdout } = await app.run('pinstripe-bot', ['list-background-jobs']);
        assert.equal(code, 0);
        assert.match(stdout, / {2}pinstripe-bot generate-background-job --name my-task\n/);
    });

    test('has JSON for programs', async () => {
        const app = await makeApp(JOBS);
        const { stdout } = await app.run('pinstripe', ['list-background-jobs', '--json']);
        const { version, jobs, problems } = JSON.parse(stdout);
        assert.equal(version, 1);
        assert.deepEqual(
            jobs.map(({ name, description, schedules }: Record<string, unknown[]>) => [
                name,
                description,
                schedules?.length,
            ]),
            [
                ['daily-report', 'The report.', 1],
                ['sweep', null, 1],
            ],
        );
        assert.deepEqual(jobs[0].schedules[0].args, ['sales', { year: 2026 }]);
        assert.deepEqual(problems.map(({ job }: { job: string }) => job).sort(), ['sweep', 'unfinished']);
    });

    const noScript = spawnSync('script', ['--version']).error
        ? 'script(1), which lends a terminal, is not installed'
        : false;
    describe('on a terminal', { skip: noScript, concurrency: 2 }, () => {
        test('has colours', async () => {
            const { code, stdout } = await onTerminal(await makeApp(JOBS));
            assert.equal(code, 0);
            assert.ok(stdout.includes(`${ESCAPE}32mdaily-report`), stdout);
            assert.match(plain(stdout), LISTED);
        });

        test('obeys NO_COLOR', async () => {
            const { stdout } = await onTerminal(await makeApp(JOBS), { NO_COLOR: '1' });
            assert.ok(!stdout.includes(ESCAPE), stdout);
            assert.match(plain(stdout), LISTED);
        });
    });
});

function onTerminal({ root }: InstalledApp, env: Record<string, string> = {}) {
    const command = `${process.execPath} node_modules/.bin/pinstripe-bot list-background-jobs`;
    const options = { cwd: root, env: { TERM: 'xterm', ...env } };
    return new AppProcess('script', ['-qec', command, '/dev/null'], options).ended();
}

function plain(text: string): string {
    return stripVTControlCharacters(text).replaceAll('\r\n', '\n');
}
