import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadApp, openAppWithDatabase } from '../support/fixture_app.js';

const ids = Array.from({ length: 50 }, (_, index) => `t${String(index).padStart(2, '0')}`);
const { app } = await openAppWithDatabase(
    `create table tenants (id text primary key); insert into tenants values ${ids.map((id) => `('${id}')`).join()};`,
);
// Only now: the framework looks for its project once, in the folder the process is in.
const { endScenario, job, never, startScenario } = await import('../support/scenario.js');
await import('../../lib/index.js');
const { runtimeOf } = await import('../../lib/scheduler/bot.js');
await loadApp(app);
// The first look at the database imports the app's config, which takes real time.
await (await import('../../lib/runs/tenants.js')).hasTenantsTable();

const HUNG = 't07';

const perTenant = (crontab: string, notes: unknown[]) =>
    job(crontab, function () {
        notes.push([this.currentRun.job, this.currentRun.tenant]);
        return this.currentRun.tenant === HUNG ? never() : undefined;
    });

describe('a hung tenant among fifty', () => {
    test('keeps the others waiting for one turn only, and the next job not at all beyond it', async () => {
        const notes: unknown[] = [];
        const scenario = await startScenario('2026-01-01T12:00:00.500Z', {
            mail: perTenant('1 0 12 * * *', notes),
            next: job('1 0 12 * * *', () => void notes.push('next'), { multiTenant: false }),
        });
        await scenario.clock.advance(1_000);
        while (runtimeOf(scenario.bot).busy > 1) await scenario.clock.advance(0);
        const before = ids.slice(0, ids.indexOf(HUNG) + 1).map((id) => ['mail', id]);
        assert.deepEqual(notes, before, 'its turn lasts 30 s');

        await scenario.clock.advance(31_000);
        assert.deepEqual(
            notes,
            [...ids.map((id) => ['mail', id]), 'next'],
            'tenants in order, then the next job',
        );
        const outcomes = scenario.runs.filter(({ job }) => job === 'mail');
        assert.equal(outcomes.length, ids.length - 1);
        assert.ok(outcomes.every(({ outcome, tenant }) => outcome === 'succeeded' && tenant !== HUNG));
        await endScenario(scenario);
    });

    test('its lane is its own: at the next slot it alone is skipped', async () => {
        const notes: unknown[] = [];
        const mail = perTenant('1 0,1 12 * * *', notes);
        const scenario = await startScenario('2026-01-01T12:00:00.500Z', { mail });
        await scenario.clock.advance(90_000);
        const skipped = scenario.runs.filter(({ outcome }) => outcome === 'skipped');
        assert.deepEqual(
            skipped.map(({ tenant, reason }) => [tenant, reason]),
            [[HUNG, 'overlap']],
        );
        assert.equal(notes.length, 50 + 49);
        await endScenario(scenario);
    });
});
