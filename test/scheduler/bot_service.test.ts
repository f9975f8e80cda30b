import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import Database from 'libsql';
import type { Run } from '../../lib/runs/run.js';
import type { Services } from '../../types/framework.js';
import { JOBS, SCHEMA, SERVICES } from '../support/documented_app.js';
import { loadApp, openAppWithDatabase, within } from '../support/fixture_app.js';
import { ending, gate, job } from '../support/jobs.js';

// The examples of the documentation of the bot service, one of each kind, on the real framework. What it claims otherwise has
// tests of its own. The snippets of jobs are in documented_app.ts; the others stand here, and run as they stand. How
// a server behaves stands in e2e/server.test.ts.

const { app, filename } = await openAppWithDatabase(SCHEMA, JOBS);
await app.write({
    'pinstripe.config.js': `export default {
        database: { filename: 'fixture.db', schema: ${JSON.stringify(SCHEMA)} },
        bot: { timezone: 'UTC' }
    };`,
    ...SERVICES,
});
const { BackgroundJob } = await import('../../lib/index.js');
const { Workspace } = await import('../../lib/framework.js');
await loadApp(app);

/** A Thursday. */
const MIDNIGHT = Date.parse('2026-01-01T00:00:00Z') / 1000;

const sqlite = new Database(filename);
const outbox: string[] = [];
Object.assign(globalThis, { outbox });

let output: string[];
let errors: string[];

beforeEach(() => {
    output = [];
    errors = [];
    outbox.length = 0;
    mock.method(console, 'log', (line: string) => output.push(line));
    mock.method(console, 'error', (line: string) => errors.push(line));
});

afterEach(() => {
    mock.restoreAll();
    BackgroundJob.unregister('announces');
});

/** Runs a snippet as the body of an async function, in which `this` has all services. */
function run(snippet: string, scope: Record<string, unknown> = {}): Promise<unknown> {
    const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => () => Promise<unknown>;
    const body = new AsyncFunction(...Object.keys(scope), snippet) as (
        ...args: unknown[]
    ) => Promise<unknown>;
    return within(
        Workspace.run(function (this: Services) {
            return body.apply(this, Object.values(scope));
        }),
        'the end of the snippet',
    );
}

/** Runs what is due at a second: `this.bot.runBackgroundJobs(unixTime)`. */
const runDue = (unixTime: number) =>
    run('return await this.bot.runBackgroundJobs(unixTime);', { unixTime }) as Promise<Run[]>;

describe('Description', () => {
    const fiveMinutes = ['creating', 'data-maintenance', 'development'];
    const midnight = ['best-practices', 'creating hourly-cleanup'];
    const due: [when: string, unixTime: number, jobs: string[]][] = [
        ['one second before midnight', MIDNIGHT - 1, []],
        ['at midnight', MIDNIGHT, [...fiveMinutes, ...midnight]],
        ['at 00:01', MIDNIGHT + 60, ['development']],
        ['at 00:05', MIDNIGHT + 300, fiveMinutes],
    ];
    for (const [when, unixTime, jobs] of due) {
        test(`2. and 3. executes by cron expression and unix timestamp: ${when}`, async () => {
            const runs = await runDue(unixTime);
            const ran = runs.filter(({ job }) => job !== 'multi-tenant');
            assert.deepEqual(
                ran.map(({ job, args }) => [job, ...args.slice(0, 1)].join(' ')),
                jobs.toSorted(),
            );
            assert.ok(ran.every(({ outcome }) => outcome === 'succeeded'));
        });
    }
});

test('Manual Bot Control: a bot that was started by hand works until it is stopped', async () => {
    const ran = gate();
    BackgroundJob.register('announces', job('* * * * * *', ran.open));
    const someOperations = () => within(ran.opened, 'a run on time');
    await run(
        `
// Start the bot manually
const botLoop = this.bot.start();

// Run some operations while bot is active
await someOperations();

// Stop the bot gracefully
await this.bot.stop();

// Or use destroy (alias for stop)
await this.bot.destroy();

await botLoop;
        `,
        { someOperations },
    );
    assert.match(
        output.join('\n'),
        /bot started: \d+ background jobs.*[\s\S]*succeeded.*announces[\s\S]*bot stopped/,
    );
});

test('Creating Background Jobs for the Bot: a job has several schedules, with arguments, and uses services and models', async () => {
    assert.deepEqual(BackgroundJob.for('creating').schedules, [
        ['*/5 * * * *'],
        ['0 0 * * *'],
        ['0 12 * * 1'],
        ['0 * * * *', 'hourly-cleanup', { deep: true }],
    ]);
    sqlite.exec("delete from users; insert into users (id, inactive) values ('ada', 1), ('bob', 0)");
    await run("await this.runBackgroundJob('creating');");
    assert.ok(output.includes('Background job executed!'));
    assert.deepEqual(sqlite.prepare('select id from users').all(), [{ id: 'bob' }]);
});

test('Bot with Multi-Tenant Support: a job runs once for each tenant that the filter leaves, with its id in the headers', async () => {
    sqlite.exec(`create table tenants (id text primary key, active integer);
        insert into tenants values ('acme', 1), ('closed', 0), ('globex', 1)`);
    try {
        const runs = (await runDue(MIDNIGHT + 600)).filter(({ job }) => job === 'multi-tenant');
        const each = ['acme', 'globex'].map((tenant) => `multi-tenant for ${tenant} succeeded`);
        assert.deepEqual(runs.map(ending), each);
        assert.deepEqual(
            outbox.filter((entry) => entry.startsWith('tasks')),
            ['tasks of acme', 'tasks of globex'],
        );
    } finally {
        sqlite.exec('drop table tenants');
    }
});

test('Error Handling Best Practices: a job that catches its errors has succeeded', async () => {
    const [ended] = (await run("return await this.runBackgroundJob('best-practices');")) as Run[];
    assert.equal(ended?.outcome, 'succeeded');
    assert.deepEqual(errors, ['Critical task failed: the disk is full']);
    assert.deepEqual(outbox, ['notification: the disk is full']);
});
