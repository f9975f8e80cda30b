import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'libsql';
import type { BackgroundJobDefinition, BackgroundJobInstance } from '../../types/background_job.js';
import { createBot, loadApp, openAppWithDatabase, within } from '../support/fixture_app.js';
import { ending, gate, job } from '../support/jobs.js';

const TENANTS = `create table tenants (id text primary key, name text, active integer);
    create table if not exists hosts (name text primary key, tenantId text)`;
const { app, filename } = await openAppWithDatabase(TENANTS);
const { BackgroundJob } = await import('../../lib/index.js');
const { ServiceFactory, Workspace } = await import('../../lib/framework.js');
const { readSettings } = await import('../../lib/jobs/settings.js');
const { hasTenantsTable, tenancyOf } = await import('../../lib/runs/tenants.js');
await loadApp(app);

const MIDNIGHT = Date.parse('2026-01-01T00:00:00Z') / 1000;

type Tenants = { where(conditions: object): Tenants; all(): Promise<{ id: string }[]> };

const sqlite = new Database(filename);
const databaseService = ServiceFactory.mixins['database'] as object;
let notes: unknown[];

beforeEach(() => {
    notes = [];
    sqlite.exec(`drop table if exists tenants; ${TENANTS};
        insert into tenants values ('acme', 'Acme', 1), ('closed', 'Closed', 0), ('globex', 'Globex', 1);
        insert or ignore into hosts values ('acme.test', 'acme'), ('globex.test', 'globex')`);
});

afterEach(() => {
    for (const name of BackgroundJob.names) BackgroundJob.unregister(name);
});

/** Registers a job that is due every minute. */
function register(name: string, run: BackgroundJobDefinition['run'], settings: object = {}) {
    BackgroundJob.register(name, job('* * * * *', run, settings));
}

/** Runs what is due at midnight; tells how it ended. */
async function runDue(): Promise<string[]> {
    const { bot } = await createBot();
    return (await bot.runBackgroundJobs(MIDNIGHT)).map(ending);
}

const active = { tenantsFilter: (tenants: Tenants) => tenants.where({ active: true }) };

/** A job that notes for whom it runs. */
function noteTenant(this: BackgroundJobInstance) {
    notes.push([this.currentRun.job, this.initialParams._headers['x-tenant-id']]);
}

/** Asks as an app does: in a workspace, or in a request to the host of a tenant. */
const runBackgroundJob = (name: string, tenant?: string) =>
    within(
        Workspace.run(async function () {
            if (tenant !== undefined) this.initialParams._headers['host'] = `${tenant}.test`;
            return this['runBackgroundJob'](name);
        }),
        `the run of ${name}`,
    );

async function withoutDatabase(work: () => Promise<void>) {
    ServiceFactory.unregister('database');
    try {
        await work();
    } finally {
        ServiceFactory.register('database', databaseService);
    }
}

describe('for whom a job runs', () => {
    const tenancy = (settings: object = {}) => tenancyOf(readSettings(settings).settings);
    const ALL = { kind: 'tenants', ids: ['acme', 'closed', 'globex'] };
    const SINGLE = { kind: 'single' };

    test('all tenants, where the app has a tenants table', async () => {
        assert.deepEqual(await tenancy(), ALL);
        assert.deepEqual(await tenancy({ multiTenant: true }), ALL);
        assert.equal(await hasTenantsTable(), true);
    });

    test('those that tenantsFilter leaves', async () => {
        assert.deepEqual(await tenancy(active), { kind: 'tenants', ids: ['acme', 'globex'] });
        const none = (tenants: Tenants) => tenants.where({ active: true }).where({ name: 'Closed' });
        assert.deepEqual(await tenancy({ tenantsFilter: none }), { kind: 'tenants', ids: [] });
    });

    test('nobody, where the tenants table is empty', async () => {
        sqlite.exec('delete from tenants');
        assert.deepEqual(await tenancy(), { kind: 'tenants', ids: [] });
    });

    test('once, without a tenant, under `multiTenant: false`', async () => {
        const tenantsFilter = () => assert.fail('it is not asked');
        assert.deepEqual(await tenancy({ multiTenant: false, tenantsFilter }), SINGLE);
    });

    test('once, without a tenant, where the app has no tenants table, or no database', async () => {
        sqlite.exec('drop table tenants; create table if not exists users (id integer)');
        assert.deepEqual(await tenancy(), SINGLE);
        assert.deepEqual(await tenancy({ multiTenant: true }), { kind: 'no tenants table' });
        assert.equal(await hasTenantsTable(), false);
        await withoutDatabase(async () => {
            assert.deepEqual(await tenancy(), SINGLE);
            assert.deepEqual(await tenancy({ multiTenant: true }), { kind: 'no tenants table' });
            assert.equal(await hasTenantsTable(), false);
        });
    });

    test('ids are what the table has: numbers stay numbers', async () => {
        sqlite.exec(
            'drop table tenants; create table tenants (id integer primary key); insert into tenants values (2), (1)',
        );
        assert.deepEqual(await tenancy(), { kind: 'tenants', ids: [1, 2] });
    });
});

describe('a multi-tenant job that is due', () => {
    test('runs once for each tenant, one after another, with its id in the headers', async () => {
        let running = 0;
        register('per-tenant', async function (this: BackgroundJobInstance) {
            running += 1;
            assert.equal(running, 1, 'one at a time');
            await nextTurn();
            noteTenant.call(this);
            assert.equal(this.currentRun.tenant, this.initialParams._headers['x-tenant-id']);
            running -= 1;
        });
        const all = ['acme', 'closed', 'globex'];
        assert.deepEqual(
            await runDue(),
            all.map((tenant) => `per-tenant for ${tenant} succeeded`),
        );
        assert.deepEqual(
            notes,
            all.map((tenant) => ['per-tenant', tenant]),
        );
    });

    test('counts as one in the order of its second', async () => {
        register('a', noteTenant, { multiTenant: false });
        register('b', noteTenant, active);
        register('c', noteTenant, { multiTenant: false });
        await runDue();
        assert.deepEqual(notes, [
            ['a', undefined],
            ['b', 'acme'],
            ['b', 'globex'],
            ['c', undefined],
        ]);
    });

    test('gives each tenant a context of its own, and the database of the app', async () => {
        const contexts = new Set();
        register('per-tenant', async function (this: BackgroundJobInstance) {
            contexts.add(this.context);
            const id = this.initialParams._headers['x-tenant-id'];
            const [tenant] = await this['database'].tenants.where({ id }).all();
            notes.push(tenant.name);
        });
        await runDue();
        assert.equal(contexts.size, 3);
        assert.deepEqual(notes, ['Acme', 'Closed', 'Globex']);
    });

    test('runs for the next tenant when it fails for one, and for the next job', async () => {
        register('a-per-tenant', function (this: BackgroundJobInstance) {
            noteTenant.call(this);
            if (this.currentRun.tenant !== 'globex') throw new Error(`no luck for ${this.currentRun.tenant}`);
        });
        register('b-next', noteTenant, { multiTenant: false });
        assert.deepEqual(await runDue(), [
            'a-per-tenant for acme failed: no luck for acme',
            'a-per-tenant for closed failed: no luck for closed',
            'a-per-tenant for globex succeeded',
            'b-next succeeded',
        ]);
    });

    test('is skipped, with the reason, where there are no tenants or no tenants table', async () => {
        register('a-per-tenant', noteTenant, { multiTenant: true });
        register('b-next', noteTenant, { multiTenant: false });
        const skipped = (reason: string) => [`a-per-tenant skipped (${reason})`, 'b-next succeeded'];
        sqlite.exec('delete from tenants');
        assert.deepEqual(await runDue(), skipped('no tenants'));
        sqlite.exec('drop table tenants');
        assert.deepEqual(await runDue(), skipped('no tenants table'));
        await withoutDatabase(async () => assert.deepEqual(await runDue(), skipped('no tenants table')));
    });

    const throws = () => {
        throw new Error('no such flag');
    };
    const badFilters: [string, unknown, RegExp][] = [
        ['throws', throws, /: no such flag$/],
        ['asks for a column that is not there', (all: Tenants) => all.where({ nonsense: 1 }), /: .*nonsense/],
        ['returns nothing', () => undefined, /: /],
    ];
    for (const [how, tenantsFilter, message] of badFilters) {
        test(`fails, and harms no other, where its tenantsFilter ${how}`, async () => {
            register('a-per-tenant', noteTenant, { tenantsFilter });
            register('b-next', noteTenant, { multiTenant: false });
            const [failed = '', next] = await runDue();
            assert.match(failed, /^a-per-tenant failed: its tenants could not be listed: /);
            assert.match(failed, message);
            assert.equal(next, 'b-next succeeded');
        });
    }
});

describe('this.runBackgroundJob with tenants', () => {
    test('runs for each tenant, outside of a tenant’s workspace', async () => {
        register('per-tenant', noteTenant, active);
        const runs = await runBackgroundJob('per-tenant');
        const tenants = runs.map(({ tenant }: { tenant: string }) => tenant);
        assert.deepEqual(tenants, ['acme', 'globex']);
        assert.deepEqual(
            notes,
            tenants.map((tenant: string) => ['per-tenant', tenant]),
        );
    });

    test('runs once without a tenant where the app has none, whatever the headers say', async () => {
        sqlite.exec('drop table tenants');
        register('single', noteTenant);
        await runBackgroundJob('single', 'globex');
        await withoutDatabase(async () => {
            await runBackgroundJob('single', 'globex');
        });
        assert.deepEqual(notes, [
            ['single', undefined],
            ['single', undefined],
        ]);
    });

    test('rejects a job for tenants where the app has no tenants table, and says so', async () => {
        sqlite.exec('drop table tenants');
        register('per-tenant', noteTenant, { multiTenant: true });
        await assert.rejects(runBackgroundJob('per-tenant'), {
            message:
                'The background job "per-tenant" runs once for each tenant (multiTenant: true), and the app has no tenants table.',
        });
        assert.deepEqual(notes, []);
    });

    test('runs nothing where there are no tenants', async () => {
        sqlite.exec('delete from tenants');
        register('per-tenant', noteTenant);
        assert.deepEqual(await runBackgroundJob('per-tenant'), []);
        assert.deepEqual(notes, []);
    });

    const failFor = (...tenants: string[]) =>
        function (this: BackgroundJobInstance) {
            noteTenant.call(this);
            const { tenant } = this.currentRun;
            if (tenants.includes(String(tenant))) throw new RangeError(`no luck for ${tenant}`);
        };

    test('runs for all tenants before it rejects: with the one error there is', async () => {
        register('per-tenant', failFor('acme'));
        await assert.rejects(runBackgroundJob('per-tenant'), {
            name: 'RangeError',
            message: 'no luck for acme',
        });
        assert.equal(notes.length, 3);
    });

    test('and with an AggregateError that names the tenants where there are several', async () => {
        register('per-tenant', failFor('acme', 'globex'));
        await assert.rejects(runBackgroundJob('per-tenant'), (error) => {
            assert.ok(error instanceof AggregateError);
            assert.equal(
                error.message,
                'The background job "per-tenant" failed for 2 of 3 tenants: acme, globex.',
            );
            assert.deepEqual(
                error.errors.map(({ message }: Error) => message),
                ['no luck for acme', 'no luck for globex'],
            );
            return true;
        });
        assert.equal(notes.length, 3);
    });

    test('rejects with what the listing of its tenants throws', async () => {
        register('per-tenant', noteTenant, {
            tenantsFilter: () => {
                throw new Error('no such flag');
            },
        });
        await assert.rejects(runBackgroundJob('per-tenant'), /no such flag/);
    });

    test('is busy for the tenant that it runs for alone', async () => {
        const { opened: ended, open: end } = gate();
        register('slow', async function (this: BackgroundJobInstance) {
            noteTenant.call(this);
            if (this.currentRun.tenant === 'acme') await ended;
        });
        const first = runBackgroundJob('slow', 'acme');
        while (notes.length === 0) await nextTurn();
        await assert.rejects(
            runBackgroundJob('slow', 'acme'),
            /"slow" did not run: its last run has been going on/,
        );
        await runBackgroundJob('slow', 'globex');
        await assert.rejects(runBackgroundJob('slow'), /"slow" did not run/);
        assert.deepEqual(
            notes.map((note) => (note as [string, string])[1]),
            ['acme', 'globex', 'closed', 'globex'],
            'the tenants whose lanes are free have had their runs',
        );
        end();
        await first;
    });

    test('knows a tenant by its number in the table and by its text elsewhere', async () => {
        sqlite.exec(
            'drop table tenants; create table tenants (id integer primary key); insert into tenants values (7);' +
                "insert into hosts values ('seven.test', '7')",
        );
        register('recursive', function (this: BackgroundJobInstance) {
            return runBackgroundJob('recursive', 'seven');
        });
        await assert.rejects(runBackgroundJob('recursive'), /"recursive" cannot run from within itself/);
    });
});
