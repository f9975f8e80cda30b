import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Run } from '../../lib/runs/run.js';
import type { RunRequest } from '../../lib/scheduler/requests.js';
import type {
    BackgroundJobClass,
    BackgroundJobDefinition,
    BackgroundJobInstance,
} from '../../types/background_job.js';
import { createBot, loadApp, openAppWithDatabase, openRegistry, within } from '../support/fixture_app.js';

const TENANTS = `create table tenants (id integer primary key, active integer);
    insert into tenants values (1, 1), (2, 1), (3, 1), (40, 0)`;
const { app } = await openAppWithDatabase(TENANTS);
const { BackgroundJob, notes } = await openRegistry();
const { runtimeOf } = await import('../../lib/scheduler/bot.js');
const { runJobNow } = await import('../../lib/scheduler/requests.js');
await loadApp(app);

/** 02:00 in Berlin. */
const SLOT = Date.parse('2026-11-25T01:00:00Z') / 1000;

interface Tenants {
    where(conditions: object): Tenants;
}

/** A job whose runs note their tenant, args and slot. */
function register(name: string, { run, ...settings }: Partial<BackgroundJobDefinition> = {}) {
    BackgroundJob.register(name, {
        ...settings,
        run(this: BackgroundJobInstance, ...args: unknown[]) {
            const { tenant, scheduledAt, manual } = this.currentRun;
            notes.push({ tenant, args, scheduledAt, manual });
            return run?.call(this, ...args);
        },
    });
}

const nightly = {
    multiTenant: false,
    timezone: 'Europe/Berlin',
    meta(this: BackgroundJobClass) {
        this.schedule('0 2 * * *', 'all');
        this.schedule('0 2 * * WED', 'some');
        this.schedule('0 4 * * *', 'late');
    },
};

async function ask(request: RunRequest) {
    const { bot } = await createBot();
    return within(runJobNow(request, runtimeOf(bot)), `the run of ${request.name}`);
}

describe('a request for one tenant', () => {
    const active = { tenantsFilter: (tenants: Tenants) => tenants.where({ active: true }) };

    test('runs for that one alone, whose id the table has as a number', async () => {
        register('invoices', active);
        await ask({ name: 'invoices', onlyTenant: '2' });
        assert.deepEqual(notes, [{ tenant: 2, args: [], scheduledAt: undefined, manual: true }]);
    });

    test('runs for nobody where its tenantsFilter leaves nobody, and is refused for one', async () => {
        register('job', { tenantsFilter: (tenants: Tenants) => tenants.where({ active: 7 }) });
        assert.deepEqual(await ask({ name: 'job' }), []);
        await assert.rejects(ask({ name: 'job', onlyTenant: '9' }), {
            message: 'The background job "job" has no tenant "9": it has none.',
        });
    });

    test('names the job when its tenants cannot be listed', async () => {
        register('job', {
            tenantsFilter() {
                throw new Error('no such column: activ');
            },
        });
        await assert.rejects(ask({ name: 'job', onlyTenant: '1' }), {
            message: 'The tenants of the background job "job" could not be listed: no such column: activ',
        });
    });
});

describe('a request for a slot', () => {
    test('runs each schedule that is due then, with its args and the slot, as manual runs', async () => {
        register('nightly', nightly);
        const begin = (runs: readonly Run[]) => void notes.push(`begins with ${runs.length}`);
        await ask({ name: 'nightly', slot: SLOT, begin });
        assert.deepEqual(notes, [
            'begins with 2',
            { tenant: undefined, args: ['all'], scheduledAt: SLOT, manual: true },
            { tenant: undefined, args: ['some'], scheduledAt: SLOT, manual: true },
        ]);
    });

    test('is refused where the job is not due, with the nearest slots', async () => {
        register('nightly', nightly);
        const repeated = Date.parse('2026-10-25T00:30:00Z') / 1000;
        await assert.rejects(ask({ name: 'nightly', slot: repeated }), {
            message:
                'The background job "nightly" is not due at 2026-10-25 02:30:00 +02:00 Europe/Berlin: its nearest slots are 2026-10-25 02:00:00 +02:00 and 2026-10-25 04:00:00.',
        });
        register('bare', { multiTenant: false });
        await assert.rejects(ask({ name: 'bare', slot: SLOT }), {
            message: 'The background job "bare" has no schedule, and so no slot.',
        });
        assert.deepEqual(notes, []);
    });
});

describe('a request with a signal', () => {
    test('aborts the run that goes on, and skips those to come', async () => {
        const controller = new AbortController();
        register('slow', {
            async run() {
                controller.abort();
                await wait(60_000, undefined, { signal: this.signal });
            },
        });
        const over = await ask({ name: 'slow', signal: controller.signal });
        const said = over.map(({ run }) => `${run.tenant} ${run.outcome} ${run.reason}`);
        const skipped = [2, 3, 40].map((tenant) => `${tenant} skipped interrupted`);
        assert.deepEqual(said, ['1 aborted interrupted', ...skipped]);
    });

    test('aborts what is due at a second, and lets go of the signal', async () => {
        const controller = new AbortController();
        const { bot } = await createBot();
        register('first', {
            ...nightly,
            async run(scope) {
                if (scope === 'all') controller.abort();
                await wait(60_000, undefined, { signal: this.signal });
            },
        });
        const runs = await within(bot.runBackgroundJobs(SLOT, controller), 'the runs');
        assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
        const reasons = runs.map(({ args, outcome, reason }) => `${args} ${outcome} ${reason}`);
        assert.deepEqual(reasons, ['all aborted interrupted', 'some skipped interrupted']);
    });
});
