import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const run = 'run(){}';

const due = (crontab: string, settings = '') =>
    `export default { ${settings} meta(){ this.schedule(${crontab}); }, ${run} };`;

/** Files that are wrong, and what is said of each. */
const WRONG: Record<string, [file: string, said: RegExp]> = {
    bad_field: [due("'60 * * * *'"), /bad-field \(.*bad_field\.js\): bad schedule "60 \* \* \* \*": .*60/],
    empty_crontab: [due("''"), /empty-crontab .*: bad schedule "": /],
    four_fields: [due("'* * * *'"), /four-fields .*: bad schedule "\* \* \* \*": .*4/],
    never_due: [due("'0 0 30 2 *'"), /never-due .*: bad schedule "0 0 30 2 \*": .*never/],
    unknown_zone: [due("'@daily'", "timezone: 'Europe/Lodnon',"), /unknown-zone .*Europe\/Lodnon.*/],
    misspelt_setting: [due("'@daily'", "overlpa: 'queue',"), /warning misspelt-setting .*overlpa.*overlap/],
    bad_setting: [due("'@daily'", "retries: 'many',"), /bad-setting .*retries.*"many"/],
    args_no_json: [due("'@daily', new Map()"), /args-no-json .*: bad schedule "@daily": /],
    syntax_error: [
        'export default {\n    run(){\n        const = 1;\n    }\n};',
        /syntax-error \(.*syntax_error\.js\): cannot be imported: SyntaxError in line 3: /,
    ],
    missing_import: [
        `import 'no-such-package';\nexport default { ${run} };`,
        /missing-import .*no-such-package/,
    ],
    meta_throws: [
        `export default { meta(){ throw new Error('no meta today'); }, ${run} };`,
        /meta-throws .*: its meta\(\) threw: .*no meta today/,
    ],
    no_default: [`export const job = { ${run} };`, /no-default .*: has no default export/],
    same_name: [
        `export default { ${run} };`,
        /same-name .*: makes the name "same-name", as .*same-name\.js does/,
    ],
    no_run: ["export default { meta(){ this.schedule('@daily'); } };", /no-run .*: it has no run\(\)/],
};

const GOOD = `export default {
    meta(){ this.schedule('* * * * * *'); this.schedule('61 * * * *'); },
    run(){ console.log('good ran'); }
};`;

const JOBS = backgroundJobs({
    ...Object.fromEntries(Object.entries(WRONG).map(([name, [file]]) => [name, file])),
    'same-name': `export default { ${run} };`,
    good: GOOD,
});

describe('an app in which everything is wrong', () => {
    test('serves and runs its good job; each problem is told once, with job and file', async () => {
        const app = await makeApp({
            ...JOBS,
            'lib/views/_file_importer.js': "export { View as default } from 'pinstripe';",
            'lib/views/milliseconds.js': `export default {
                render(){ return this.bot.runBackgroundJobs(Date.now()).then(() => 'ran', ({ message }) => message); }
            };`,
        });
        const { process: server, get } = await app.serve();
        await server.printedTimes(/^good ran$/gm, 2);
        assert.equal((await get('/up')).status, 200);
        assert.match(await (await get('/milliseconds')).text(), /milliseconds/);
        const { code, stderr } = await server.ended('SIGTERM');
        assert.equal(code, 0);
        for (const [, said] of Object.values(WRONG)) {
            const told = stderr.split('\n').filter((line) => said.test(line));
            assert.equal(told.length, 1, `${said} in:\n${stderr}`);
        }
        assert.match(stderr, /invalid good .*: bad schedule "61 \* \* \* \*": /);
        assert.equal(stderr.trim().split('\n').length, Object.keys(WRONG).length + 1, stderr);
    });

    test('lists each problem', async () => {
        const app = await makeApp(JOBS);
        const { code, stdout } = await app.call(['list-background-jobs']);
        assert.equal(code, 0);
        for (const [, said] of Object.values(WRONG)) assert.match(stdout, said);
        assert.match(stdout, /^good +\* \* \* \* \* \* +Every second +in /m);
    });

    test('runs its good job by hand, and says why another cannot run', async () => {
        const app = await makeApp(JOBS);
        const good = await app.call(['run-background-job', 'good']);
        assert.deepEqual([good.code, good.stderr], [0, '']);
        const bad = await app.call(['run-background-job', 'syntax-error']);
        assert.equal(bad.code, 1);
        assert.match(
            bad.stderr,
            /^The background job "syntax-error" cannot run .*SyntaxError in line 3: .*\n$/,
        );
    });
});

test('start-server with a mistake in the config names the nearest key, and does not start', async () => {
    const app = await makeApp({ 'pinstripe.config.js': "export default { bot: { stopTimout: '1s' } };" });
    const { code, stdout, stderr } = await app.run('pinstripe', ['start-server', '--host', '127.0.0.1:0']);
    assert.equal(code, 1);
    assert.match(stderr, /unknown key `bot\.stopTimout`.*stopTimeout/);
    assert.doesNotMatch(stdout, /running at|bot started/);
});
