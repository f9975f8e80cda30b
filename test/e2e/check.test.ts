import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';
import { NO_TERMINAL, plain, startInTerminal } from '../support/terminal.js';

const CHECK = ['check-background-jobs'];
const ESCAPE = '\u001b[';
const run = 'run(){}';

const WRONG = {
    'shared.js': "export const nightly = (job) => job.schedule('CRON_TZ=Londn 0 2 * * *');",
    ...backgroundJobs({
        bad_setting: `export default {\n    meta(){ this.schedule('0 0 * * *'); },\n    overlap: 'queu',\n    ${run}\n};`,
        missing_import: `import '../nope.js';\nexport default { ${run} };`,
        no_run: "\nexport default { meta(){ this.schedule('0 0 * * *'); } };",
        sweep: `import { nightly } from '../../shared.js';
export default {
    // this.schedule('60 * * * *')
    meta(){
        this.schedule('60 * * * *').schedule(
            '0 0 30 2 *');
        nightly(this);
        this.schedule('0 0 * * *', new Date());
    },
    ${run}
};`,
        'same-name': `export default { ${run} };`,
        same_name: `\nexport default { ${run} };`,
        syntax_error: `export default {\n    ${run},\n    meta( {}\n};`,
        throws: `export default {\n    meta(){\n        null.x;\n    },\n    ${run}\n};`,
    }),
};

const DOUBTFUL = backgroundJobs({
    nightly: `export default {
    timezone: 'Europe/Berlin',
    meta(){
        this.schedule('30 2 * * *');
    },
    retrys: 2,
    ${run}
};`,
    often: `export default {\n    meta(){\n        this.schedule('* * * * 5');\n    },\n    ${run}\n};`,
});

const DOUBTS = `warning  nightly  lib/background_jobs/nightly.js
         its property \`retrys\` is not a setting: did you mean \`retries\`?
         Cure: correct the name, or give your helper one that looks less like a
         setting

warning  nightly  lib/background_jobs/nightly.js:4
         schedule "30 2 * * *": in Europe/Berlin 02:30 does not exist on
         <date>: it runs at 03:00; 02:30 comes twice on <date>: it runs
         at the first
         Cure: move it out of 02:00-03:00, or into a zone without such changes,
         like UTC

warning  often  lib/background_jobs/often.js:3
         schedule "* * * * 5": it runs every minute, all day, where the day of
         the week is 5
         Cure: for every 5 minutes write '*/5 * * * *', for once '0 0 * * 5'; if
         every minute is meant, '*/1 * * * 5'

2 background jobs, 2 schedules: 3 warnings.
`;

const undated = (text: string) => text.replace(/\d{4}-\d\d-\d\d/g, '<date>');

describe('check-background-jobs', { concurrency: 2 }, () => {
    test('tells of each error with job, file, line, rule and cure, as text and as JSON', async () => {
        const { call, root } = await makeApp(WRONG);
        const { code, stdout, stderr } = await call(CHECK);
        assert.deepEqual([code, stderr], [1, '']);
        const json = await call([...CHECK, '--json']);
        const { version, findings } = JSON.parse(json.stdout);
        assert.deepEqual([json.code, version], [1, 1]);
        const places = stdout.match(/^(?:error|warning).*/gm) ?? [];
        assert.deepEqual(
            places.map(
                (line, index) => `${line.replace('lib/background_jobs/', '')} ${findings[index].rule}`,
            ),
            [
                'error    bad-setting  bad_setting.js bad-setting',
                'error    missing-import  missing_import.js import-failed',
                'error    no-run  no_run.js no-run',
                'error    same-name  same_name.js same-name',
                'error    sweep  sweep.js:5 bad-crontab',
                'error    sweep  sweep.js:5 never-fires',
                'error    sweep  sweep.js:7 bad-timezone',
                'error    sweep  sweep.js:8 bad-args',
                'error    syntax-error  syntax_error.js:4 import-failed',
                'error    throws  throws.js:3 meta-threw',
            ],
        );
        assert.equal(stdout.match(/^ {9}Cure: \S/gm)?.length, 10);
        assert.match(stdout, /\n5 background jobs, 0 schedules: 10 errors\.\n$/);
        assert.equal(findings.length, 10);
        assert.deepEqual(findings[4], {
            severity: 'error',
            rule: 'bad-crontab',
            job: 'sweep',
            file: `${root}/lib/background_jobs/sweep.js`,
            line: 5,
            schedule: '60 * * * *',
            message: 'bad schedule "60 * * * *": minute 60 is out of range (0-59)',
            cure: "write minute, hour, day of month, month and day of week, like '30 6 * * 1-5'",
        });
    });

    test('tells of doubts, and fails for them when it is strict', async () => {
        const { call } = await makeApp(DOUBTFUL);
        const { code, stdout, stderr } = await call(CHECK);
        assert.deepEqual([code, undated(stdout), stderr], [0, DOUBTS, '']);
        assert.equal((await call([...CHECK, '--strict'])).code, 1);
    });

    // Its other flaws stand in check/folder.test.ts.
    test('finds what is wrong with the folder of the jobs', async () => {
        const { call } = await makeApp({ 'lib/background_jobs/a.js': `export default { ${run} };` });
        const { code, stdout } = await call([...CHECK, '--json']);
        assert.deepEqual([code, JSON.parse(stdout).findings[0].rule], [1, 'no-file-importer']);
    });

    test('warns of an empty TZ, with which the other commands work as well', async () => {
        const fine = `export default { meta(){ this.schedule('@daily'); }, ${run} };`;
        const { call } = await makeApp(backgroundJobs({ fine }));
        const env = { TZ: '' };
        const checked = await call(CHECK, { env });
        assert.equal(checked.code, 0);
        assert.match(checked.stdout, /^warning {2}all jobs\n {9}TZ is "", which is not a zone/);
        for (const words of [
            ['list-background-jobs'],
            ['show-background-job', 'fine'],
            ['preview-background-jobs'],
            ['generate-background-job', 'other', '--schedule', '0 2 * * *'],
        ]) {
            const { code, stdout, stderr } = await call(words, { env });
            assert.deepEqual([code, stderr], [0, '']);
            assert.match(stdout, /\(UTC\)/);
        }
    });

    test('goes on where the config is wrong, which is an error of its own', async () => {
        const app = await makeApp({
            ...DOUBTFUL,
            'pinstripe.config.js': 'export default { bot: { turm: 1 } };',
        });
        const { code, stdout } = await app.call(CHECK);
        assert.equal(code, 1);
        assert.match(
            stdout,
            /^error {4}pinstripe\.config\.js\n +pinstripe\.config\.js: unknown key `bot\.turm`/,
        );
        assert.match(stdout, /: 1 error, 3 warnings\.\n$/);
    });

    describe('on a terminal', { skip: NO_TERMINAL, concurrency: 2 }, () => {
        test('has colours, and fits its width', async () => {
            const app = await makeApp(DOUBTFUL);
            for (const columns of [50, 80]) {
                const terminal = startInTerminal(app, 'pinstripe-bot', CHECK, { columns });
                const { code, stdout } = await terminal.ended();
                assert.equal(code, 0);
                assert.ok(stdout.includes(`${ESCAPE}33mwarning`), stdout);
                const text = plain(stdout);
                assert.ok(Math.max(...text.split('\n').map((line) => line.length)) <= columns, text);
                if (columns === 80) assert.equal(undated(text), DOUBTS);
            }
        });
    });
});
