import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { TenantId } from '../../lib/runs/run.js';
import type { BackgroundJobInstance } from '../../types/background_job.js';
import type { Services } from '../../types/framework.js';
import { loadApp, openAppWithDatabase, openRegistry, within } from '../support/fixture_app.js';

const { app } = await openAppWithDatabase(`
    create table tenants (id integer primary key, active integer);
    insert into tenants values (1, 1), (2, 1), (3, 0);
    create table hosts (name text primary key, tenantId integer);
    insert into hosts values ('one.test', 1), ('two.test', 2), ('closed.test', 3);
`);
const { notes: ranFor, register } = await openRegistry();
const { ServiceFactory, View, Workspace } = await import('pinstripe');
await loadApp(app);

type Tenants = { where(conditions: object): Tenants };
type Work = (this: Services) => unknown;

const ALL = [1, 2, 3];
const activeOnly = { tenantsFilter: (tenants: Tenants) => tenants.where({ active: true }) };

let inRequest: Work;

function noteTenant(this: BackgroundJobInstance) {
    ranFor.push(this.currentRun.tenant);
}

const asking = (name: string): Work =>
    function () {
        return this['runBackgroundJob'](name);
    };

const ask = asking('noting');

beforeEach(() => register('noting', [], noteTenant));

View.register('ask', {
    async render(this: Services) {
        await inRequest.call(this);
        return [200, {}, []];
    },
});

/** Does something in a web request to a host. */
async function request(host: string, work: Work): Promise<void> {
    inRequest = work;
    const params = { _url: new URL(`http://${host}/ask`), _headers: { host: `${host.toUpperCase()}:3000` } };
    const answer = Workspace.run(function (this: Services) {
        return this['callHandler'].handleCall(params);
    });
    assert.deepEqual(await within(answer, 'the answer'), [200, {}, []]);
}

/** Does something in a workspace that was opened for a tenant, as the framework's own jobs are. */
const inWorkspaceOf = (tenant: TenantId | undefined, work: Work) =>
    Workspace.run(function (this: Services) {
        if (tenant !== undefined) this.initialParams._headers['x-tenant-id'] = tenant;
        return work.call(this);
    });

/** Asks in a run of a job, for each of the tenants that it runs for. */
async function askInRun(settings: object, work: Work): Promise<void> {
    register('outer', [], work as (this: BackgroundJobInstance) => unknown, settings);
    await inWorkspaceOf(undefined, asking('outer'));
}

/** Does something while another service stands for the database of the app. */
async function withDatabase(service: object, work: () => Promise<unknown>): Promise<void> {
    const own = ServiceFactory.mixins['database'] as object;
    const replace = (mixin: object) => {
        ServiceFactory.unregister('database');
        ServiceFactory.register('database', mixin);
    };
    replace(service);
    await work().finally(() => replace(own));
}

describe('this.runBackgroundJob runs', () => {
    const cases: [what: string, enter: () => Promise<unknown>, expected: unknown[]][] = [
        ['for the tenant whose host was asked, in its web request', () => request('two.test', ask), [2]],
        ['for each tenant in a request to a host of none', () => request('other.test', ask), ALL],
        ['for the tenant of a workspace', () => inWorkspaceOf(2, ask), [2]],
        ['for the same one where its id is written as a text', () => inWorkspaceOf('2', ask), [2]],
        ['for each tenant in a workspace of none', () => inWorkspaceOf(undefined, ask), ALL],
        ['for the tenant of the run that asks', () => askInRun(activeOnly, ask), [1, 2]],
        [
            'for each tenant where a run without a tenant asks',
            () => askInRun({ multiTenant: false }, ask),
            ALL,
        ],
        [
            'for the tenant of the run, in a workspace of none that its job has opened',
            () => askInRun(activeOnly, () => inWorkspaceOf(undefined, ask)),
            [1, 2],
        ],
        [
            'for the tenant of the workspace that a job has opened for it',
            () => askInRun({ multiTenant: false }, () => inWorkspaceOf(3, ask)),
            [3],
        ],
        [
            'for the tenant of the request that a job has made',
            () => askInRun(activeOnly, () => request('closed.test', ask)),
            [3, 3],
        ],
    ];
    for (const [what, enter, expected] of cases) {
        test(what, async () => {
            await enter();
            assert.deepEqual(ranFor, expected);
        });
    }

    test('once without a tenant under `multiTenant: false`, whoever asks, and without asking the database', async () => {
        register('single', [], noteTenant, { multiTenant: false });
        const askForSingle = asking('single');
        await request('two.test', askForSingle);
        await inWorkspaceOf(2, askForSingle);
        const down = {
            create() {
                throw new Error('the database is down');
            },
        };
        await withDatabase(down, () => inWorkspaceOf(2, askForSingle));
        assert.deepEqual(ranFor, [undefined, undefined, undefined]);
    });

    test('for the tenant that the header names, where the database of the app finds none', async () => {
        const tenants = { all: async () => ALL.map((id) => ({ id })) };
        await withDatabase({ create: () => ({ info: { tenants: 'table' }, tenants }) }, () =>
            inWorkspaceOf(2, ask),
        );
        assert.deepEqual(ranFor, [2]);
    });

    test('for the tenant of a request that has not waited for it', async () => {
        let run: Promise<unknown> = Promise.resolve();
        await request('two.test', function () {
            run = this['runBackgroundJob']('noting');
        });
        await within(run, 'the run');
        assert.deepEqual(ranFor, [2]);
    });
});

describe('this.runBackgroundJob is refused', () => {
    const leftOut =
        'The background job "filtered" does not run for tenant "3": its tenantsFilter leaves it out.';
    const askFiltered = asking('filtered');
    const cases: [what: string, enter: () => Promise<unknown>, message: string][] = [
        ['in a request of a tenant', () => request('closed.test', askFiltered), leftOut],
        ['in a workspace of a tenant', () => inWorkspaceOf(3, askFiltered), leftOut],
        ['in a run for a tenant', () => askInRun({}, askFiltered), leftOut],
        [
            'in a workspace of a tenant that there is none of',
            () => inWorkspaceOf(9, askFiltered),
            'The background job "filtered" has no tenant "9": it has 1, 2.',
        ],
    ];
    for (const [where, enter, message] of cases) {
        test(`${where} that tenantsFilter leaves out`, async () => {
            register('filtered', [], noteTenant, activeOnly);
            await assert.rejects(enter(), { message });
            assert.ok(!ranFor.includes(3) && !ranFor.includes(9));
        });
    }
});
