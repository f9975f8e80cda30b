import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readJournal } from '../support/journal_reader.js';
import { openFleet, type Server } from '../support/servers.js';

const SECONDS = 60;
const TENANTS = ['acme', 'globex', 'initech'];

const fleet = await openFleet({
    tick: `{
        meta(){ this.schedule('* * * * * *'); },
        multiTenant: false, missed: 'all',
        async run(){ note(this, 'start'); await sleep(100); note(this, 'end'); }
    }`,
    tenant_tick: `{
        meta(){ this.schedule('* * * * * *'); },
        missed: 'all',
        async run(){ note(this, 'start'); await sleep(5); note(this, 'end'); }
    }`,
});
after(() => fleet.stop());

describe('four servers on one journal, killed and started again at random', () => {
    test('run each of 60 slots at most once for each tenant, and account for all', async (t) => {
        const env = { TENANTS: TENANTS.join(',') };
        const servers: Server[] = [0, 1, 2, 3].map(() => fleet.start(env));
        await Promise.all(servers.map(({ started }) => started));
        const first = Math.floor(Date.now() / 1000) + 1;
        const last = first + SECONDS - 1;
        let kills = 0;
        while (Date.now() < last * 1000) {
            await delay(500 + 2_500 * Math.random());
            const victim = Math.floor(servers.length * Math.random());
            servers[victim]?.kill('SIGKILL');
            kills += 1;
            await delay(1_000 * Math.random());
            servers[victim] = fleet.start(env);
        }
        // What a killed run left behind is found by its lease.
        await delay(14_000);
        await fleet.stop();

        const { integrity, runs, skips } = await readJournal(fleet.journal);
        const evidence = await fleet.evidence();
        const starts = evidence.filter(({ what }) => what === 'start');
        assert.equal(integrity, 'ok');

        const lanes = [
            { job: 'tick', tenant: null },
            ...TENANTS.map((tenant) => ({ job: 'tenant-tick', tenant })),
        ];
        for (const { job, tenant } of lanes) {
            const own = evidence.filter((line) => line.job === job && line.tenant === tenant);
            const ends = new Map(own.filter(({ what }) => what === 'end').map(({ slot, at }) => [slot, at]));
            let free = 0;
            for (const { slot, at } of own
                .filter(({ what }) => what === 'start')
                .sort((a, b) => a.at - b.at)) {
                assert.ok(at >= free, `${job} ${tenant} ${slot} started while its lane was taken`);
                free = ends.get(slot) ?? free;
            }
        }

        const reasons: Record<string, number> = {};
        let ran = 0;
        for (const { job, tenant } of lanes) {
            for (let slot = first; slot <= last; slot++) {
                const isIt = (other: { job: string; tenant: string | null; slot: number }) =>
                    other.job === job && other.tenant === tenant && other.slot === slot;
                const times = starts.filter(isIt).length;
                assert.ok(times <= 1, `${job} ${tenant} ${slot} ran ${times} times`);
                ran += times;
                if (times === 1) continue;
                const lost = runs.find(isIt);
                const skip = skips.find(
                    (found) =>
                        found.job === job &&
                        (found.tenant === tenant || found.tenant === null) &&
                        found.first <= slot &&
                        found.last >= slot,
                );
                const reason = lost?.outcome ?? skip?.reason;
                assert.ok(reason, `nothing tells what became of ${job} ${tenant} ${slot}`);
                assert.notEqual(reason, 'succeeded');
                reasons[reason] = (reasons[reason] ?? 0) + 1;
            }
        }
        assert.deepEqual(
            runs.filter(({ outcome, slot }) => outcome === 'running' && slot <= last),
            [],
        );
        t.diagnostic(
            `${kills} kills; ${ran} of ${lanes.length * SECONDS} slots ran; the others: ${JSON.stringify(reasons)}`,
        );
        assert.ok(ran > (lanes.length * SECONDS) / 2, `only ${ran} slots ran`);
    });
});
