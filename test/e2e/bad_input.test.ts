import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const run = 'run(){}';

/** Files that are wrong, one of each kind, and what is said of them; jobs/job_file.test.ts and job_plan.test.ts have the rest. */
const WRONG: Record<string, [file: string, said: RegExp]> = {
    bad_field: [
        `export default { meta(){ this.schedule('60 * * * *'); }, ${run} };`,
        /bad-field \(.*bad_field\.js\): bad schedule "60 \* \* \* \*": .*60/,
    ],
    misspelt_setting: [
        `export default { overlpa: 'queue', meta(){ this.schedule('@daily'); }, ${run} };`,
        /warning misspelt-setting .*overlpa.*overlap/,
    ],
    syntax_error: [
        'export default {\n    run(){\n        const = 1;\n    }\n};',
        /syntax-error \(.*syntax_error\.js\): cannot be imported: SyntaxError in line 3: /,
    ],
    'v1.2_report': [
        `export default { ${run} };`,
        /warning v1-2-report .*: makes no job because of the dot in its name: rename it to v1_2_report\.js/,
    ],
    no_default: [`export const job = { ${run} };`, /no-default .*: has no default export/],
    same_name: [
        `export default { ${run} };`,
        /same-name .*: makes the name "same-name", as .*same-name\.js does/,
    ],
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

test('an app in which everything is wrong serves and runs its good job; each problem is told once, with job and file', async () => {
    const app = await makeApp({
        ...JOBS,
        'lib/views/_file_importer.js': "export { View as default } from 'pinstripe';",
        'lib/views/milliseconds.js': `export default {
            render(){ return this.bot.runBackgroundJobs(Date.now()).then(() => 'ran', ({ message }) => message); }
        };`,
    });
    const { process: server, get } = await app.serve();
    await server.printedTimes(/^good ran$/gm, 2);
    assert.equal((await get('/up')).status, 503);
    assert.match(await (await get('/milliseconds')).text(), /milliseconds/);
    const { code, stderr } = await server.ended('SIGTERM');
    assert.equal(code, 0);
    for (const [, said] of Object.values(WRONG)) {
        const told = stderr.split('\n').filter((line) => said.test(line));
        assert.equal(told.length, 1, `${said} in:\n${stderr}`);
    }
    assert.match(stderr, /unhealthy \/up answers 503: .*; and 2 more: check-health lists them$/m);
    assert.match(stderr, /invalid good .*: bad schedule "61 \* \* \* \*": /);
    assert.equal(stderr.trim().split('\n').length, Object.keys(WRONG).length + 2, stderr);
});

/** What the framework takes for an empty config, or fails at. */
const CONFIGS: [config: string, said: RegExp][] = [
    [
        '\nexport default {',
        /^pinstripe\.config\.js cannot be imported: SyntaxError in line 2: Unexpected end of input$/,
    ],
    ['export default () => ({ bot: {} });', /^pinstripe\.config\.js has a function for its default/],
    ['export default [{ bot: {} }];', /^pinstripe\.config\.js has \[ .* \] for its default export/],
    ['export const bot = {};', /^pinstripe\.config\.js has no default export: write `export default/],
    ['export default { bot: () => ({}) };', /`bot` is not an object: write/],
];

for (const [config, said] of CONFIGS)
    test(`tells of the config ${JSON.stringify(config)} in one line`, async () => {
        const { call } = await makeApp({ 'pinstripe.config.js': config });
        for (const command of ['show-background-job fetch-prices', 'list-background-jobs']) {
            const { code, stderr } = await call(command.split(' '));
            assert.equal(code, 1);
            assert.match(stderr.replace(/\n$/, ''), said);
        }
    });
