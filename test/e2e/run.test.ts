import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BINARIES, backgroundJobs, makeApp, tenantsDatabase } from '../support/installed_app.js';

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

for (const binary of BINARIES) {
    describe(`${binary} run-background-job`, { concurrency: 2 }, () => {
        test('waits for the job, in any spelling of its name, and hands it JSON arguments', async () => {
            const app = await makeApp(JOBS);
            const args = ['--name', 'show-args', '--arguments', '["a", { "b": 1 }]'];
            const run = await app.run(binary, ['run-background-job', ...args]);
            assert.deepEqual([run.code, run.stderr], [0, '']);
            assert.match(run.stdout, /^args \["a",\{"b":1\}\]$/m);
            const bare = await app.run(binary, ['run-background-job', 'ShowArgs']);
            assert.deepEqual([bare.code, bare.stderr], [0, '']);
            assert.match(bare.stdout, /^args \[\]$/m);
        });

        test('exits with 1 when the job fails, and says so once', async () => {
            const app = await makeApp(JOBS);
            const { code, stderr } = await app.run(binary, ['run-background-job', '--name', 'fail']);
            assert.equal(code, 1);
            assert.equal(stderr.match(/no paper/g)?.length, 1);
            assert.match(stderr, /failed fail .*, in .*\/lib\/background_jobs\/fail\.js$/m);
        });

        test('exits with 1 on an unknown name, with the nearest one', async () => {
            const app = await makeApp(JOBS);
            const { code, stdout, stderr } = await app.run(binary, [
                'run-background-job',
                '--name',
                'show-arg',
            ]);
            assert.deepEqual([code, stdout], [1, '']);
            assert.match(stderr, /^There is no background job "show-arg".*show-args.*\n$/);
        });

        test('refuses arguments that are no JSON array, before anything runs', async () => {
            const app = await makeApp(JOBS);
            const args = ['show-args', '--arguments', '["a"'];
            const { code, stdout, stderr } = await app.run(binary, ['run-background-job', ...args]);
            assert.deepEqual([code, stdout], [1, '']);
            assert.match(
                stderr,
                /^--arguments \["a" is not a JSON array, like '\["a", \{ "b": 1 \}\]': .*\n$/,
            );
        });
    });
}

describe('run-background-job', { concurrency: 2 }, () => {
    test('keeps the process alive for a job that does not', async () => {
        const app = await makeApp(JOBS);
        const { code, stdout } = await app.run('pinstripe', ['run-background-job', 'wait']);
        assert.equal(code, 0);
        assert.match(stdout, /succeeded wait/);
    });

    for (const [binary, code] of [
        ['pinstripe', 1],
        ['pinstripe-bot', 2],
    ] as const) {
        test(`without a name ends with ${code} in ${binary}`, async () => {
            const app = await makeApp(JOBS);
            const ended = await app.run(binary, ['run-background-job']);
            assert.equal(ended.code, code);
            assert.match(ended.stderr, /name: Must not be blank/);
        });
    }
});

describe('run-background-job in an app with tenants', { concurrency: 2 }, () => {
    const invoices = backgroundJobs({
        send_invoices: `export default {
            tenantsFilter: tenants => tenants.where({ active: true }),
            async run(){
                const id = this.initialParams._headers['x-tenant-id'];
                console.log('for ' + id);
                if(id == 'b') throw new Error('no address');
            }
        };`,
        once: `export default {
            multiTenant: false,
            async run(){ console.log('for ' + this.initialParams._headers['x-tenant-id']); }
        };`,
        needs_tenants: 'export default { multiTenant: true, run(){} };',
    });
    const rows: [string, boolean][] = [
        ['a', true],
        ['b', true],
        ['c', true],
        ['d', false],
    ];

    test('runs once for each tenant that the filter leaves; one failure skips no other', async () => {
        const app = await makeApp({ ...(await tenantsDatabase(rows)), ...invoices });
        const { code, stdout, stderr } = await app.run('pinstripe', ['run-background-job', 'send-invoices']);
        assert.equal(code, 1);
        assert.deepEqual(stdout.match(/^for .*$/gm), ['for a', 'for b', 'for c']);
        assert.match(stderr, /failed send-invoices \[tenant b\]/);
    });

    test('runs a job with multiTenant: false once, without a tenant', async () => {
        const app = await makeApp({ ...(await tenantsDatabase(rows)), ...invoices });
        const { code, stdout } = await app.run('pinstripe', ['run-background-job', 'once']);
        assert.equal(code, 0);
        assert.deepEqual(stdout.match(/^for .*$/gm), ['for undefined']);
    });

    test('takes an empty tenants table for nobody, and a missing one for one clear error', async () => {
        const empty = await makeApp({ ...(await tenantsDatabase([])), ...invoices });
        const none = await empty.run('pinstripe', ['run-background-job', 'needs-tenants']);
        assert.deepEqual([none.code, none.stderr], [0, '']);

        const missing = await makeApp({ ...(await tenantsDatabase(undefined)), ...invoices });
        const refused = await missing.run('pinstripe', ['run-background-job', 'needs-tenants']);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /^The background job "needs-tenants" .* has no tenants table\.\n$/);
    });
});
