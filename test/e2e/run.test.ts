import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { backgroundJobs, type InstalledApp, makeApp, tenantsDatabase } from '../support/installed_app.js';

const JOBS = backgroundJobs({
    show_args: `export default {
        meta(){ this.schedule('0 0 1 1 *'); },
        async run(...args){
            await new Promise(resolve => setTimeout(resolve, 50));
            console.log('args ' + JSON.stringify(args));
        }
    };`,
    fail: "export default { run(){ throw new Error('no paper'); } };",
    wait: 'export default { run(){ return new Promise(resolve => setTimeout(resolve, 300).unref()); } };',
});

const RUN = 'run-background-job';

describe(RUN, () => {
    let app: InstalledApp;
    const run = (...words: string[]) => app.call([RUN, ...words]);

    before(async () => {
        app = await makeApp(JOBS);
    });

    test('waits for the job, in any spelling of its name, and hands it JSON arguments', async () => {
        const named = await run('--name', 'show-args', '--arguments', '["a", { "b": 1 }]');
        assert.deepEqual([named.code, named.stderr], [0, '']);
        assert.match(named.stdout, /^args \["a",\{"b":1\}\]$/m);
        const bare = await run('ShowArgs');
        assert.deepEqual([bare.code, bare.stderr], [0, '']);
        assert.match(bare.stdout, /^args \[\]$/m);
    });

    test('refuses arguments that are no JSON array, before anything runs', async () => {
        for (const [text, said] of [
            ['["a"', /^--arguments \["a" is not a JSON array, like '\["a", \{ "b": 1 \}\]': .*\n$/],
            ['"a"', /^--arguments "a" is not a JSON array, .*\.\n$/],
            // What a shell makes of "$UNSET".
            ['', /^--arguments '' is not a JSON array, /],
        ] as const) {
            const { code, stdout, stderr } = await run('show-args', '--arguments', text);
            assert.deepEqual([code, stdout], [2, '']);
            assert.match(stderr, said);
        }
    });

    test('keeps the process alive for a job that does not', async () => {
        const { code, stdout } = await app.run('pinstripe', [RUN, 'wait']);
        assert.equal(code, 0);
        assert.match(stdout, /succeeded wait/);
    });

    test('--json prints the runs alone on stdout, what the job prints on stderr, and exits as without it', async () => {
        const sound = await run('show-args', '--json');
        assert.equal(sound.code, 0);
        assert.match(sound.stderr, /^args \[\]\n.* succeeded show-args/);
        const { version, runs } = JSON.parse(sound.stdout);
        assert.deepEqual([version, runs.length, runs[0].outcome, runs[0].error], [1, 1, 'succeeded', null]);

        const broken = await run('fail', '--json');
        assert.equal(broken.code, 1);
        const [{ outcome, error }] = JSON.parse(broken.stdout).runs;
        assert.deepEqual([outcome, error.message], ['failed', 'no paper']);
    });

    for (const log of ['silent', 'json', 'pretty']) {
        test(`says once what became of the job under log: ${log}`, async () => {
            const app = await makeApp({
                ...JOBS,
                'pinstripe.config.js': `export default { bot: { log: '${log}' } };`,
            });
            const sound = await app.call([RUN, 'show-args']);
            assert.match(sound.stdout, /^args \[\]\n[^{]* succeeded show-args \(.*\)\n$/);
            const broken = await app.call([RUN, 'fail']);
            assert.equal(broken.code, 1);
            assert.match(
                broken.stderr,
                /failed fail .*, in .*\/lib\/background_jobs\/fail\.js\n {4}Error: no paper/,
            );
            assert.equal(broken.stderr.match(/no paper/g)?.length, 1);
        });
    }
});

describe('runs of a slot', () => {
    let app: InstalledApp;
    const jobs = backgroundJobs({
        early: `export default {
            meta(){ this.schedule('0 3 * * *', 'all'); },
            timezone: 'Europe/Berlin',
            run(scope){ console.log(scope + ' ' + this.currentRun.scheduledAt); }
        };`,
        late: "export default { meta(){ this.schedule('0 2 * * *'); }, run(){ throw new Error('no paper'); } };",
    });
    const slot = Date.parse('2026-11-25T02:00:00Z') / 1000;

    before(async () => {
        app = await makeApp(jobs);
    });

    test('of one job are on its clock, with the args of its schedule or its own', async () => {
        for (const at of ['2026-11-25 03:00', String(slot)]) {
            const { code, stdout } = await app.call([RUN, 'early', '--at', at]);
            assert.equal(code, 0);
            assert.match(stdout, new RegExp(`^all ${slot}\n.* succeeded early \\(.*\\)\n$`));
        }
        const own = await app.call([RUN, 'early', '--at', String(slot), '--arguments', '["mine"]']);
        assert.match(own.stdout, new RegExp(`^mine ${slot}\n`));
    });

    test('of all jobs that are due go in order, also where one fails', async () => {
        const words = ['run-background-jobs', '--json', '--at', String(slot)];
        const { code, stdout, stderr } = await app.call(words);
        assert.equal(code, 1);
        assert.match(stderr, /^all /);
        const { version, at, next, runs } = JSON.parse(stdout);
        assert.deepEqual([version, at, next], [1, '2026-11-25T02:00:00Z', '2026-11-26T02:00:00Z']);
        assert.deepEqual(
            runs.map(({ job, outcome, scheduledAt }: Record<string, unknown>) => [job, outcome, scheduledAt]),
            [
                ['early', 'succeeded', '2026-11-25T02:00:00Z'],
                ['late', 'failed', '2026-11-25T02:00:00Z'],
            ],
        );
    });
});

describe('run-background-job in an app with tenants', () => {
    let app: InstalledApp;
    const invoices = backgroundJobs({
        send_invoices: `export default {
            tenantsFilter: tenants => tenants.where({ active: true }),
            async run(){
                const id = this.initialParams._headers['x-tenant-id'];
                console.log('for ' + id);
                if(id == 'b') throw new Error('no address');
            }
        };`,
        needs_tenants: 'export default { multiTenant: true, run(){} };',
    });
    const rows: [string, boolean][] = [
        ['a', true],
        ['b', true],
        ['c', true],
        ['d', false],
    ];

    before(async () => {
        app = await makeApp({ ...(await tenantsDatabase(rows)), ...invoices });
    });

    test('runs once for each tenant that the filter leaves; one failure skips no other', async () => {
        const { code, stdout, stderr } = await app.call([RUN, 'send-invoices']);
        assert.equal(code, 1);
        assert.deepEqual(stdout.match(/^for .*$/gm), ['for a', 'for b', 'for c']);
        assert.match(stderr, /failed send-invoices \[tenant b\]/);
        assert.match(stdout, /\n3 runs: 2 succeeded, 1 failed \(send-invoices \[tenant b\]\)\n$/);
    });

    test('runs for one tenant alone, and refuses one that it does not have', async () => {
        const forOne = (tenant: string) => app.call([RUN, 'send-invoices', '--tenant', tenant]);
        const one = await forOne('c');
        assert.equal(one.code, 0);
        assert.deepEqual(one.stdout.match(/^for .*$/gm), ['for c']);
        const none = await forOne('e');
        assert.deepEqual(
            [none.code, none.stdout, none.stderr],
            [1, '', 'The background job "send-invoices" has no tenant "e": it has a, b, c.\n'],
        );
        // It would otherwise be all of them.
        const empty = await forOne('');
        assert.deepEqual([empty.code, empty.output], [2, "--tenant '' names no tenant.\n"]);
    });

    test('takes an empty tenants table for nobody, and a missing one for one clear error', async () => {
        const empty = await makeApp({ ...(await tenantsDatabase([])), ...invoices });
        const none = await empty.call([RUN, 'needs-tenants']);
        assert.deepEqual(
            [none.code, none.stdout, none.stderr],
            [0, 'The background job "needs-tenants" ran for nobody: it has no tenants.\n', ''],
        );

        const missing = await makeApp({ ...(await tenantsDatabase(undefined)), ...invoices });
        const refused = await missing.call([RUN, 'needs-tenants']);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /^The background job "needs-tenants" .* has no tenants table\.\n$/);
    });
});
