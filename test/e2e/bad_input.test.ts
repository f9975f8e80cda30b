import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BINARIES, backgroundJobs, makeApp, tenantsDatabase } from '../support/installed_app.js';

const run = 'run(){}';

/** Files that are wrong, and what is said of each. */
const WRONG: Record<string, [file: string, said: RegExp]> = {
    bad_field: [
        `export default { meta(){ this.schedule('60 * * * *'); }, ${run} };`,
        /bad-field \(.*bad_field\.js\): bad schedule "60 \* \* \* \*": .*60/,
    ],
    never_due: [
        `export default { meta(){ this.schedule('0 0 30 2 *'); }, ${run} };`,
        /never-due .*: bad schedule "0 0 30 2 \*": .*never/,
    ],
    unknown_zone: [
        `export default { timezone: 'Europe/Lodnon', meta(){ this.schedule('@daily'); }, ${run} };`,
        /unknown-zone .*Europe\/Lodnon.*/,
    ],
    misspelt_setting: [
        `export default { overlpa: 'queue', meta(){ this.schedule('@daily'); }, ${run} };`,
        /warning misspelt-setting .*overlpa.*overlap/,
    ],
    syntax_error: [
        'export default {\n    run(){\n        const = 1;\n    }\n};',
        /syntax-error \(.*syntax_error\.js\): cannot be imported: SyntaxError in line 3: /,
    ],
    missing_import: [
        `import 'no-such-package';\nexport default { ${run} };`,
        /missing-import .*: cannot be imported: .*no-such-package/,
    ],
    meta_throws: [
        `export default { meta(){ throw new Error('no meta today'); }, ${run} };`,
        /meta-throws .*: its meta\(\) threw: .*no meta today/,
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

describe('an app in which everything is wrong', { concurrency: 2 }, () => {
    for (const binary of BINARIES) {
        test(`serves and runs its good job (${binary}); each problem is told once, with job and file`, async () => {
            const app = await makeApp({
                ...JOBS,
                'lib/views/_file_importer.js': "export { View as default } from 'pinstripe';",
                'lib/views/milliseconds.js': `export default {
                    render(){ return this.bot.runBackgroundJobs(Date.now()).then(() => 'ran', ({ message }) => message); }
                };`,
            });
            const { process: server, get } = await app.serve({ binary });
            await server.printedTimes(/^good ran$/gm, 2);
            assert.equal((await get('/up')).status, 503);
            assert.match(await (await get('/milliseconds')).text(), /milliseconds/);
            const { code, stderr } = await server.ended('SIGTERM');
            assert.equal(code, 0);
            for (const [, said] of Object.values(WRONG)) {
                const told = stderr.split('\n').filter((line) => said.test(line));
                assert.equal(told.length, 1, `${said} in:\n${stderr}`);
            }
            assert.match(stderr, /unhealthy \/up answers 503: .*; and 7 more: check-health lists them$/m);
            assert.match(stderr, /invalid good .*: bad schedule "61 \* \* \* \*": /);
            assert.equal(stderr.trim().split('\n').length, Object.keys(WRONG).length + 2, stderr);
        });
    }
});

test('tells of a config that cannot be imported, with its line', async () => {
    const app = await makeApp({ 'pinstripe.config.js': '\nexport default {' });
    for (const command of ['show-background-job fetch-prices', 'list-background-jobs']) {
        const { code, stderr } = await app.call(command.split(' '));
        assert.deepEqual(
            [code, stderr],
            [1, 'pinstripe.config.js cannot be imported: SyntaxError in line 2: Unexpected end of input\n'],
        );
    }
});

test('a tenants table that is empty, or missing, is told and harms no other job', async () => {
    const jobs = backgroundJobs({
        for_tenants: `export default { multiTenant: true, meta(){ this.schedule('* * * * * *'); }, ${run} };`,
        good: "export default { multiTenant: false, meta(){ this.schedule('* * * * * *'); }, run(){ console.log('good ran'); } };",
    });
    const empty = await makeApp({ ...(await tenantsDatabase([])), ...jobs });
    const missing = await makeApp({ ...(await tenantsDatabase(undefined)), ...jobs });
    for (const [app, reason] of [
        [empty, 'no tenants'],
        [missing, 'no tenants table'],
    ] as const) {
        const { process: server } = await app.serve();
        await server.printed(new RegExp(`skipped for-tenants \\(${reason}\\)`));
        await server.printedTimes(/^good ran$/gm, 2);
        assert.equal((await server.ended('SIGTERM')).code, 0);
    }
});
