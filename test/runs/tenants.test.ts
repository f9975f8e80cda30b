import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'libsql';
import type { BackgroundJobInstance } from '../../types/background_job.js';
import { createBot, loadApp, openAppWithDatabase, openRegistry, within } from '../support/fixture_app.js';
import { ending } from '../support/jobs.js';

const TENANTS = `create table tenants (id text primary key, name text, active integer);
    create table if not exists hosts (name text primary key, tenantId text)`;
const { app, filename } = await openAppWithDatabase(TENANTS);
const { notes, register: registerJob } = await openRegistry();
const { ServiceFactory, Workspace } = await import('../../lib/framework.js');
const { readSettings } = await import('../../lib/jobs/settings.js');
const { hasTenantsTable, tenancyOf } = await import('../../lib/runs/tenants.js');
await loadApp(app);

const MIDNIGHT = Date.parse('2026-01-01T00:00:00Z') / 1000;

type Tenants = { where(conditions: object): Tenants; all(): Promise<{ id: string }[]> };

const sqlite = new Database(filename);
const databaseService = ServiceFactory.mixins['database'] as object;

beforeEach(() => {
    sqlite.exec(`drop table if exists tenants; ${TENANTS};
        insert into tenants values ('acme', 'Acme', 1), ('closed', 'Closed', 0), ('globex', 'Globex', 1);
        insert or ignore into hosts values ('acme.test', 'acme'), ('globex.test', 'globex')`);
});

/** Registers a job that is due every minute. */
const register = (name: string, run: Parameters<typeof registerJob>[2], settings: object = {}) =>
    registerJob(name, '* * * * *', run, settings);

/** Runs what is due at midnight; tells how it ended. */
async function runDue(): Promise<string[]> {
    const { bot } = await createBot();
    return (await bot.runBackgroundJobs(MIDNIGHT)).map(ending);
}

const active = { tenantsFilter: (tenants: Tenants) => tenants.where({ active: true }) };

const tenantOf = (note: unknown) => (note as [job: string, tenant: string])[1];

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
    const tenants = (...ids: unknown[]) => ({ kind: 'tenants', ids });
    const [SINGLE, NO_TABLE] = [{ kind: 'single' }, { kind: 'no tenants table' }];
    const none = (all: Tenants) => all.where({ active: true }).where({ name: 'Closed' });
    const numbered =
        'drop table tenants; create table tenants (id integer primary key); insert into tenants values (2), (1)';
    const cases: [what: string, settings: object, sql: string, expected: object][] = [
        ['all tenants, where the app has a tenants table', {}, '', tenants('acme', 'closed', 'globex')],
        ['all under `multiTenant: true`', { multiTenant: true }, '', tenants('acme', 'closed', 'globex')],
        ['those that tenantsFilter leaves', active, '', tenants('acme', 'globex')],
        ['nobody, where it leaves none', { tenantsFilter: none }, '', tenants()],
        ['nobody, where the tenants table is empty', {}, 'delete from tenants', tenants()],
        ['once, without a tenant, under `multiTenant: false`', { ...active, multiTenant: false }, '', SINGLE],
        ['once, without a tenant, where there is no tenants table', {}, 'drop table tenants', SINGLE],
        ['nobody, where it needs that table', { multiTenant: true }, 'drop table tenants', NO_TABLE],
        ['ids as the table has them: numbers stay numbers', {}, numbered, tenants(1, 2)],
    ];
    for (const [what, settings, sql, expected] of cases)
        test(what, async () => {
            sqlite.exec(sql);
            assert.deepEqual(await tenancy(settings), expected);
        });

    test('once, without a tenant, where the app has no database', () =>
        withoutDatabase(async () => {
            assert.deepEqual(await tenancy(), SINGLE);
            assert.deepEqual(await tenancy({ multiTenant: true }), NO_TABLE);
            assert.equal(await hasTenantsTable(), false);
        }));
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
        const succeeded = all.map((tenant) => `per-tenant for ${tenant} succeeded`);
        assert.deepEqual(await runDue(), succeeded);
        assert.deepEqual(notes.map(tenantOf), all);
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
    test('runs once without a tenant where the app has none, whatever the headers say', async () => {
        sqlite.exec('drop table tenants');
        register('single', noteTenant);
        await runBackgroundJob('single', 'globex');
        assert.deepEqual(notes, [['single', undefined]]);
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
            const failed = 'The background job "per-tenant" failed for 2 of 3 tenants: acme, globex.';
            assert.equal(error.message, failed);
            const messages = error.errors.map(({ message }: Error) => message);
            assert.deepEqual(messages, ['no luck for acme', 'no luck for globex']);
            return true;
        });
        assert.equal(notes.length, 3);
    });
});
