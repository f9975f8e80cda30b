import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Database from 'libsql';
import { loadApp, openAppWithDatabase } from '../support/fixture_app.js';

const ids = Array.from({ length: 50 }, (_, index) => `t${String(index).padStart(2, '0')}`);
const { app, filename } = await openAppWithDatabase(
    `create table tenants (id text primary key); insert into tenants values ${ids.map((id) => `('${id}')`).join()};`,
);
// Only now: the framework looks for its project once, in the folder the process is in.
const { job, never, startScenario } = await import('../support/scenario.js');
await import('../../lib/index.js');
const { runtimeOf } = await import('../../lib/scheduler/bot.js');
await loadApp(app);
// The first look at the database imports the app's config, which takes real time.
await (await import('../../lib/runs/tenants.js')).hasTenantsTable();

const START = '2026-01-01T12:00:00.500Z';
const HUNG = 't07';

const mail = (crontab: string) =>
    job(crontab, function () {
        return this.currentRun.tenant === HUNG ? never() : undefined;
    });

describe('a hung tenant among fifty', () => {
    test('keeps the others waiting for one turn only, and the next job not at all beyond it', async () => {
        const scenario = await startScenario(START, {
            mail: mail('1 0 12 * * *'),
            next: job('1 0 12 * * *', () => {}, { multiTenant: false }),
        });
        const started = () => scenario.eventsOf('run-started').map(({ run }) => run.tenant ?? run.job);
        await scenario.clock.advance(1_000);
        while (runtimeOf(scenario.bot).worker.runs.size > 1) await scenario.clock.advance(0);
        assert.deepEqual(started(), ids.slice(0, ids.indexOf(HUNG) + 1), 'its turn lasts 30 s');

        await scenario.clock.advance(31_000);
        assert.deepEqual(started(), [...ids, 'next'], 'tenants in order, then the next job');
        const others = ids.filter((id) => id !== HUNG).map((id) => `mail for ${id} succeeded`);
        assert.deepEqual(scenario.endings, [...others, 'next succeeded']);
    });

    test('its lane is its own: at the next slot it alone is skipped', async () => {
        const scenario = await startScenario(START, { mail: mail('1 0,1 12 * * *') });
        await scenario.clock.advance(90_000);
        const [skipped] = scenario.runs.filter(({ outcome }) => outcome === 'skipped');
        assert.deepEqual([skipped?.tenant, skipped?.reason], [HUNG, 'overlap']);
        assert.equal(scenario.slots('mail').length, 2 * (ids.length - 1));
    });
});

test('a slot without tenants, or without a table of them, is skipped with that reason, and harms no other job', async () => {
    const jobs = {
        mail: job('1 0 12 * * *', () => {}, { multiTenant: true }),
        next: job('1 0 12 * * *', () => {}, { multiTenant: false }),
    };
    const sqlite = new Database(filename);
    for (const [sql, reason] of [
        ['delete from tenants', 'no tenants'],
        ['drop table tenants; create table notes (id)', 'no tenants table'],
    ] as const) {
        sqlite.exec(sql);
        const scenario = await startScenario(START, jobs);
        await scenario.clock.advance(1_000);
        while (scenario.runs.length < 2) await scenario.clock.advance(0);
        assert.deepEqual(scenario.endings.sort(), [`mail skipped (${reason})`, 'next succeeded']);
    }
});
