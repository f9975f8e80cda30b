import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import Database from 'libsql';
import type { Run } from '../../lib/runs/run.js';
import type { Services } from '../../types/framework.js';
import { loadApp, openAppWithDatabase, openRegistry, within } from '../support/fixture_app.js';
import { ending } from '../support/jobs.js';

// The examples of the framework's documentation of the bot service, on the real framework: they run as they stand there.

/** The tables of the app; the tenants table is made by the test of tenants alone. */
const SCHEMA = `
    create table users (id text primary key, inactive integer);
    create table sessions (id text primary key, lastAccessedAt text);
`;

const { app, filename } = await openAppWithDatabase(SCHEMA, {
    'lib/background_jobs/creating.js': `
// Define a background job that the bot will execute
export default {
    meta(){
        // Run every 5 minutes
        this.schedule('*/5 * * * *');
        
        // Multiple schedules supported
        this.schedule('0 0 * * *'); // Daily at midnight
        this.schedule('0 12 * * 1'); // Weekly on Monday at noon
        
        // With arguments
        this.schedule('0 * * * *', 'hourly-cleanup', { deep: true });
    },

    async run(){
        // Job logic here
        console.log('Background job executed!');
        
        // Access services and models
        await this.database.users.where({ inactive: true }).delete();
    }
};
`,
    'lib/background_jobs/multi_tenant.js': `
// In multi-tenant environments, background jobs can run per tenant
export default {
    meta(){
        this.schedule('*/10 * * * *');
    },
    
    // Multi-tenant configuration
    multiTenant: true,
    
    // Optional tenant filtering
    tenantsFilter: tenants => tenants.where({ active: true }),
    
    async run(){
        // This runs once per tenant
        const currentTenant = this.initialParams._headers['x-tenant-id'];
        await this.processTenantSpecificTasks();
    }
};
`,
    'lib/background_jobs/data_maintenance.js': `
// Clean up expired sessions
export default {
    meta(){ this.schedule('*/5 * * * *'); },
    async run(){
        await this.database.sessions.where({
            lastAccessedAtLt: new Date(Date.now() - (1000 * 60 * 30))
        }).delete();
    }
};
`,
    'lib/background_jobs/development.js': `
// In development, consider less frequent schedules
export default {
    meta(){
        const isDev = process.env.NODE_ENV === 'development';
        // Every 5 minutes in dev, every minute in production
        this.schedule(isDev ? '*/5 * * * *' : '* * * * *');
    },
    
    async run(){
        // Job logic
    }
};
`,
});
await app.write({
    'pinstripe.config.js': `export default {
        database: { filename: 'fixture.db', schema: ${JSON.stringify(SCHEMA)} },
        bot: { timezone: 'UTC' }
    };`,
    'lib/services/process_tenant_specific_tasks.js': `export default {
        create(){ return async () => outbox.push('tasks of ' + this.initialParams._headers['x-tenant-id']); }
    };`,
});
await import('../../lib/index.js');
const { Workspace } = await import('../../lib/framework.js');
await loadApp(app);
const { BackgroundJob, register } = await openRegistry();

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

afterEach(() => mock.restoreAll());

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

/** Runs what is due at a second. */
const runDue = (unixTime: number) =>
    run('return await this.bot.runBackgroundJobs(unixTime);', { unixTime }) as Promise<Run[]>;

const idsOf = (table: string) =>
    (sqlite.prepare(`select id from ${table} order by id`).all() as { id: string }[]).map(({ id }) => id);

test('the service has the lifecycle and the management of background jobs', async () => {
    const returned = (await run(
        `
        return [this.bot.start(), this.bot.stop(), this.bot.destroy(), this.bot.runBackgroundJobs(unixTime)];
        `,
        { unixTime: MIDNIGHT + 1 },
    )) as Promise<unknown>[];
    for (const promise of returned) assert.ok(promise instanceof Promise);
    const ends = await within(Promise.all(returned), 'their ends');
    assert.deepEqual(ends, [undefined, undefined, undefined, []]);
});

describe('background jobs are executed by cron expression and unix timestamp', () => {
    const HOUR = 3600;
    const NOON_ON_MONDAY = MIDNIGHT + 4 * 24 * HOUR + 12 * HOUR;
    const everyFive = ['creating', 'data-maintenance', 'development'];
    const due: [when: string, unixTime: number, ran: string[]][] = [
        ['one second before midnight', MIDNIGHT - 1, []],
        ['at midnight', MIDNIGHT, [...everyFive, 'creating hourly-cleanup']],
        ['at 00:01', MIDNIGHT + 60, ['development']],
        ['at 00:05', MIDNIGHT + 300, everyFive],
        ['at noon on a Monday', NOON_ON_MONDAY, [...everyFive, 'creating hourly-cleanup']],
    ];
    for (const [when, unixTime, expected] of due) {
        test(when, async () => {
            const ran = (await runDue(unixTime)).filter(({ job }) => job !== 'multi-tenant');
            assert.deepEqual(
                ran.map(({ job, args }) => [job, ...args.slice(0, 1)].join(' ')),
                expected.sort(),
            );
            assert.ok(ran.every(({ outcome }) => outcome === 'succeeded'));
        });
    }
});

test('errors are handled around each job: they are logged, and the others run', async () => {
    register('a-fails', '1 0 0 * * *', () => {
        throw new RangeError('no luck');
    });
    register('b-works', '1 0 0 * * *');
    const runs = await runDue(MIDNIGHT + 1);
    assert.deepEqual(runs.map(ending), ['a-fails failed: no luck', 'b-works succeeded']);
    assert.equal(errors.length, 1);
    assert.match(
        errors[0] as string,
        /failed a-fails.*in .*a-fails\.js\n +RangeError: no luck\n +at .*bot_service\.test/s,
    );
    assert.match(output.join('\n'), /succeeded.*b-works/);
});

test('a bot that was started by hand works until it is stopped', async () => {
    let announce = () => {};
    const ran = new Promise<void>((resolve) => {
        announce = resolve;
    });
    register('announces', '* * * * * *', () => announce());
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
        { someOperations: () => within(ran, 'a run on time') },
    );
    assert.match(
        output.join('\n'),
        /bot started: \d+ background jobs.*[\s\S]*succeeded.*announces[\s\S]*bot stopped/,
    );
});

test('a job has several schedules, with arguments, and uses services and models', async () => {
    assert.deepEqual(BackgroundJob.for('creating').schedules, [
        ['*/5 * * * *'],
        ['0 0 * * *'],
        ['0 12 * * 1'],
        ['0 * * * *', 'hourly-cleanup', { deep: true }],
    ]);
    sqlite.exec("delete from users; insert into users (id, inactive) values ('ada', 1), ('bob', 0)");
    await run("await this.runBackgroundJob('creating');");
    assert.ok(output.includes('Background job executed!'));
    assert.deepEqual(idsOf('users'), ['bob']);
});

test('a job runs once for each tenant that the filter leaves, with its id in the headers', async () => {
    sqlite.exec(`create table tenants (id text primary key, active integer);
        insert into tenants values ('acme', 1), ('closed', 0), ('globex', 1)`);
    try {
        await run("await this.runBackgroundJob('multi-tenant');");
        assert.deepEqual(outbox, ['tasks of acme', 'tasks of globex']);
    } finally {
        sqlite.exec('drop table tenants');
    }
});

test('data maintenance: expired sessions are cleaned up', async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    sqlite.exec(`insert into sessions values ('old', '${ago(31)}'), ('new', '${ago(29)}')`);
    await run("await this.runBackgroundJob('data-maintenance');");
    assert.deepEqual(idsOf('sessions'), ['new']);
});

test('a schedule may depend on the environment', () => {
    const crontabs = () => BackgroundJob.for('development').schedules;
    assert.deepEqual(crontabs(), [['* * * * *']]);
    process.env['NODE_ENV'] = 'development';
    register('makes-the-registry-read-them-again', []);
    assert.deepEqual(crontabs(), [['*/5 * * * *']]);
    process.env['NODE_ENV'] = 'test';
});
