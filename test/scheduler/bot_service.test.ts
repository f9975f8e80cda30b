import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import Database from 'libsql';
import type { Run } from '../../lib/runs/run.js';
import type { BackgroundJobClass, BackgroundJobDefinition } from '../../types/background_job.js';
import type { Services } from '../../types/framework.js';
import { GENERATED, JOBS, SCHEMA, SERVICES } from '../support/documented_app.js';
import { createBot, loadApp, openAppWithDatabase, within } from '../support/fixture_app.js';
import { ending, job } from '../support/jobs.js';

// Every example of the documentation of the bot service, in its order, on the real framework, and the claims that no
// other test is about. The snippets of jobs are in documented_app.ts; the others stand here, and run as they stand. How
// a server behaves stands in e2e/server.test.ts.

const { app, filename } = await openAppWithDatabase(SCHEMA, JOBS);
await app.write({
    'pinstripe.config.js': `export default {
        database: { filename: 'fixture.db', schema: ${JSON.stringify(SCHEMA)} },
        bot: { timezone: 'UTC' }
    };`,
    'lib/services/sqlite.js': await readFile(join(app.root, 'lib/services/database.js'), 'utf8'),
    ...SERVICES,
});
const { BackgroundJob } = await import('../../lib/index.js');
const { Command, importAll, Workspace } = await import('../../lib/framework.js');
const { ManualClock } = await import('../../lib/time/manual_clock.js');
await loadApp(app);

const DOCUMENTED = Object.keys(JOBS)
    .map((path) => BackgroundJob.normalizeName(path.slice('lib/background_jobs/'.length, -'.js'.length)))
    .sort();

/** A Thursday. */
const MIDNIGHT = Date.parse('2026-01-01T00:00:00Z') / 1000;

const sqlite = new Database(filename);
const outbox: string[] = [];
Object.assign(globalThis, { outbox });

let notes: unknown[];
let output: string[];
let errors: string[];

beforeEach(() => {
    notes = [];
    output = [];
    errors = [];
    outbox.length = 0;
    mock.method(console, 'log', (line: string) => output.push(line));
    mock.method(console, 'error', (line: string) => errors.push(line));
});

afterEach(() => {
    mock.restoreAll();
    for (const name of BackgroundJob.names) if (!DOCUMENTED.includes(name)) BackgroundJob.unregister(name);
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

const register = (name: string, crontab: string, run: BackgroundJobDefinition['run']) =>
    BackgroundJob.register(name, job(crontab, run));

const clockBefore = (unixTime: number) => new ManualClock((unixTime - 0.5) * 1000);

describe('Interface', () => {
    test('the service has the lifecycle and the management of background jobs', async () => {
        const unixTime = MIDNIGHT + 1;
        await run(
            `
            this.bot.start()
            this.bot.stop()
            this.bot.destroy()
            this.bot.runBackgroundJobs(unixTime)
            `,
            { unixTime },
        );
        const returned = (await run(
            'return [this.bot.start(), this.bot.stop(), this.bot.destroy(), this.bot.runBackgroundJobs(unixTime)];',
            { unixTime },
        )) as Promise<unknown>[];
        for (const promise of returned) assert.ok(promise instanceof Promise);
        assert.deepEqual(await within(Promise.all(returned), 'their ends'), [
            undefined,
            undefined,
            undefined,
            [],
        ]);
    });
});

describe('Description', () => {
    const HOUR = 3600;
    const MONDAY = MIDNIGHT + 4 * 24 * HOUR;
    const tenMinutes = [
        'best-practices',
        'creating',
        'data-cleanup',
        'data-maintenance',
        'notification-delivery',
    ];
    const due: [string, number, string[]][] = [
        ['one second before midnight', MIDNIGHT - 1, []],
        [
            'at midnight on the first of the month',
            MIDNIGHT,
            [...tenMinutes, 'creating hourly-cleanup', 'external-apis'],
        ],
        ['one second after midnight', MIDNIGHT + 1, []],
        ['at 00:01', MIDNIGHT + 60, []],
        ['at 00:02', MIDNIGHT + 120, ['notification-delivery']],
        ['at 00:05', MIDNIGHT + 300, ['creating', 'data-cleanup', 'data-maintenance']],
        ['at 02:00', MIDNIGHT + 2 * HOUR, [...tenMinutes, 'creating hourly-cleanup', 'database-models']],
        [
            'at 06:00',
            MIDNIGHT + 6 * HOUR,
            [...tenMinutes, 'creating hourly-cleanup', 'external-apis', 'scheduled-reports'],
        ],
        [
            'at noon on a Monday',
            MONDAY + 12 * HOUR,
            [...tenMinutes, 'creating hourly-cleanup', 'external-apis'],
        ],
    ];
    for (const [when, unixTime, others] of due) {
        test(`2. and 3. executes by cron expression and unix timestamp: ${when}`, async (context) => {
            context.mock.method(globalThis, 'fetch', async () => Response.json({ items: [] }));
            const runs = await runDue(unixTime);
            const ran = runs.filter(({ job }) => job !== 'multi-tenant');
            const everyMinute = unixTime % 60 === 0 ? ['common-patterns', 'development'] : [];
            assert.deepEqual(
                ran.map(({ job, args }) => [job, ...args.slice(0, 1)].join(' ')),
                [...everyMinute, ...others].sort(),
            );
            assert.ok(ran.every(({ outcome }) => outcome === 'succeeded'));
        });
    }

    test('4. handles errors gracefully, around each job: they are logged, and the others run', async () => {
        register('a-fails', '1 0 0 * * *', () => {
            throw new RangeError('no luck');
        });
        register('b-works', '1 0 0 * * *', () => {});
        assert.deepEqual((await runDue(MIDNIGHT + 1)).map(ending), [
            'a-fails failed: no luck',
            'b-works succeeded',
        ]);
        assert.equal(errors.length, 1);
        assert.match(
            errors[0] as string,
            /failed a-fails.*\n +RangeError: no luck\n +at .*bot_service\.test/s,
        );
        assert.match(output.join('\n'), /succeeded.*b-works/);
    });
});

describe('Manual Bot Control', () => {
    test('a bot that was started by hand works until it is stopped', async () => {
        register('every-second', '* * * * * *', () => void notes.push('ran'));
        let announce = () => {};
        const ran = new Promise<void>((resolve) => {
            announce = resolve;
        });
        register('announces', '* * * * * *', () => announce());
        const someOperations = () => within(ran, 'a run on time');
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
});

describe('Manual Background Job Execution', () => {
    test('executes background jobs for a specific unix timestamp', async () => {
        register('every-second', '* * * * * *', function () {
            notes.push(this.currentRun.scheduledAt);
        });
        const before = Math.floor(Date.now() / 1000);
        await run(`
// Execute background jobs for a specific unix timestamp
const unixTime = Math.floor(Date.now() / 1000);
await this.bot.runBackgroundJobs(unixTime);
        `);
        assert.equal(notes.length, 1);
        assert.ok((notes[0] as number) >= before && (notes[0] as number) <= Date.now() / 1000);
    });
});

describe('Creating Background Jobs for the Bot', () => {
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
        assert.deepEqual(sqlite.prepare('select id from users').all(), [{ id: 'bob' }]);
    });
});

describe('Bot with Multi-Tenant Support', () => {
    test('a job runs once for each tenant that the filter leaves, with its id in the headers', async () => {
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
});

describe('Background Job Integration', () => {
    test('jobs are discovered by name, their schedules read, and executed in isolated workspaces', async () => {
        const discovered = (await run(
            `
// Bot automatically discovers all registered background jobs
const backgroundJobs = BackgroundJob.names.map(name => BackgroundJob.for(name));
return backgroundJobs;
            `,
            { BackgroundJob },
        )) as BackgroundJobClass[];
        assert.deepEqual(
            discovered.map(({ name }) => name),
            DOCUMENTED,
        );

        const backgroundJob = discovered.find(({ name }) => name === 'creating');
        const schedules = (await run(
            `
// Each job can have multiple cron schedules
const schedules = [...backgroundJob.schedules];
// Format: [crontab, ...args]
return schedules;
            `,
            { backgroundJob },
        )) as unknown[][];
        assert.equal(schedules.length, 4);

        for (const [crontab, ...args] of schedules) {
            assert.equal(typeof crontab, 'string');
            output = [];
            await run(
                `
// Jobs run in isolated workspace contexts
await Workspace.run(async function(){
    await this.runBackgroundJob(backgroundJob.name, ...args);
});
                `,
                { Workspace, backgroundJob, args },
            );
            assert.equal(output[0], 'Background job executed!');
        }
    });
});

describe('Command Line Integration', () => {
    /** Runs a command line as the framework's executable does. */
    const runCommandLine = async (line: string) => {
        const [, name, ...words] = line.trim().split(' ');
        await run('await this.runCommand(name, words);', { name, words });
        return output.join('\n');
    };

    test('a job is generated from the documented template, listed and run', async () => {
        assert.equal(Command.binaryName, 'pinstripe');

        // Generate a new background job
        assert.match(
            await runCommandLine('pinstripe generate-background-job --name my-cleanup-task'),
            /created lib\/background_jobs\/my_cleanup_task\.js/,
        );
        const file = join(app.root, 'lib/background_jobs/my_cleanup_task.js');
        assert.equal(await readFile(file, 'utf8'), GENERATED);
        await importAll(join(app.root, 'lib'));

        // List all available background jobs
        const list = await runCommandLine('pinstripe list-background-jobs');
        for (const name of [...DOCUMENTED, 'my-cleanup-task']) assert.ok(list.includes(name), name);

        // Run a background job manually
        output = [];
        await runCommandLine('pinstripe run-background-job --name my-cleanup-task');
        assert.equal(output[0], 'my-cleanup-task background job coming soon!');
        assert.deepEqual(errors, []);
        assert.equal(process.exitCode, undefined);
    });
});

describe('Performance Considerations', () => {
    test('discovery happens once per second; a failed job retries on its next scheduled time', async () => {
        const clock = clockBefore(MIDNIGHT + 1);
        const { bot, eventsOf } = await createBot({ clock });
        const loop = bot.start();
        await clock.advance(0);
        await clock.advance(1_000);
        register('found-later', '*/2 * * * * *', () => {
            throw new Error('no luck');
        });
        await clock.advance(5_000);
        assert.deepEqual(
            eventsOf('run-ended').map(({ run }) => `${run.scheduledAt} ${ending(run)}`),
            [2, 4, 6].map((second) => `${MIDNIGHT + second} found-later failed: no luck`),
            'errors do not stop the bot loop',
        );
        await bot.stop();
        await loop;
    });
});

describe('Common Use Cases', () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    const ids = (table: string) =>
        sqlite
            .prepare(`select id from ${table} order by id`)
            .all()
            .map((row) => (row as { id: string }).id);

    test('data maintenance: expired sessions are cleaned up', async () => {
        sqlite.exec(
            `delete from sessions; insert into sessions values ('old', '${ago(31)}'), ('new', '${ago(29)}')`,
        );
        await run("await this.runBackgroundJob('data-maintenance');");
        assert.deepEqual(ids('sessions'), ['new']);
    });

    test('notification delivery: pending notifications are processed', async () => {
        sqlite.exec(`delete from users;
            insert into users (id, readyToDeliverNotifications) values ('ada', 1), ('bob', 0), ('cy', 1)`);
        await run("await this.runBackgroundJob('notification-delivery');");
        assert.deepEqual(outbox, ['notifications of ada', 'notifications of cy']);
    });

    test('data cleanup: expired tokens are removed', async () => {
        sqlite.exec(
            `delete from usedHashes; insert into usedHashes values ('old', '${ago(1)}'), ('new', '${ago(-1)}')`,
        );
        await run("await this.runBackgroundJob('data-cleanup');");
        assert.deepEqual(ids('usedHashes'), ['new']);
    });

    test('scheduled reports: the daily report is generated and sent', async () => {
        await run("await this.runBackgroundJob('scheduled-reports');");
        assert.deepEqual(outbox, ['email: Daily report']);
    });
});

describe('Testing and Development', () => {
    test('a schedule may depend on the environment', () => {
        const crontabs = () => BackgroundJob.for('development').schedules;
        assert.deepEqual(crontabs(), [['* * * * *']]);
        process.env['NODE_ENV'] = 'development';
        BackgroundJob.register('makes-the-registry-read-them-again', { run() {} });
        assert.deepEqual(crontabs(), [['*/5 * * * *']]);
        process.env['NODE_ENV'] = 'test';
        BackgroundJob.unregister('makes-the-registry-read-them-again');
        assert.deepEqual(crontabs(), [['* * * * *']]);
    });

    test('background jobs can be tested manually without waiting for the schedule', async () => {
        register('my-job-name', '0 0 1 1 *', () => void notes.push('ran'));
        await run(`
// Test background jobs manually without waiting for schedule
await this.runBackgroundJob('my-job-name');
        `);
        assert.deepEqual(notes, ['ran']);
    });
});

describe('Integration Patterns', () => {
    test('with database models: methods and relationships', async () => {
        const days = (count: number) => new Date(Date.now() - count * 24 * 3_600_000).toISOString();
        sqlite.exec(`delete from users; delete from subscriptions;
            insert into users (id, lastLogin) values ('ada', '${days(31)}'), ('bob', '${days(29)}');
            insert into subscriptions values ('s1', 'ada'), ('s2', 'ada'), ('s3', 'bob')`);
        await run("await this.runBackgroundJob('database-models');");
        assert.deepEqual(outbox, ['inactivity of ada, 2 subscriptions']);
    });

    test('with external APIs', async (context) => {
        const items = [
            { id: 'a', value: 'new' },
            { id: 'b', value: 'first' },
        ];
        const fetched = context.mock.method(globalThis, 'fetch', async () => Response.json({ items }));
        sqlite.exec("delete from externalData; insert into externalData values ('a', 'old')");
        await run("await this.runBackgroundJob('external-apis');");
        assert.deepEqual(
            fetched.mock.calls.map(({ arguments: args }) => args),
            [['https://api.example.com/updates']],
        );
        assert.deepEqual(sqlite.prepare('select * from externalData order by id').all(), items);
    });
});

describe('Error Handling Best Practices', () => {
    test('a job that catches its errors has succeeded', async () => {
        const [ended] = (await run("return await this.runBackgroundJob('best-practices');")) as Run[];
        assert.equal(ended?.outcome, 'succeeded');
        assert.deepEqual(errors, ['Critical task failed: the disk is full']);
        assert.deepEqual(outbox, ['notification: the disk is full']);
    });
});
