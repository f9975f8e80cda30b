import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { accountFor, HISTORY_SCRIPT, pastOf } from '../chaos/account.js';
import { readJournal } from '../support/journal_reader.js';
import { openFleet, type Server } from '../support/servers.js';

const SECONDS = 60;
const TENANTS = ['acme', 'globex', 'initech'];

const fleet = await openFleet(
    {
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
    },
    { 'history.mjs': HISTORY_SCRIPT },
);
after(() => fleet.stop());

test('four servers on one journal, killed and started again at random run each of 60 slots at most once for each tenant, and account for all', async (t) => {
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

    assert.equal((await readJournal(fleet.journal)).integrity, 'ok');
    const evidence = await fleet.evidence();
    const lanes = [undefined, ...TENANTS].map((tenant) => ({
        job: tenant ? 'tenant-tick' : 'tick',
        arg: undefined,
        tenant,
        retries: 0,
    }));
    for (const { job, tenant } of lanes) {
        const own = evidence.filter((line) => line.job === job && line.tenant === (tenant ?? null));
        const ends = new Map(own.filter(({ what }) => what === 'end').map(({ slot, at }) => [slot, at]));
        let free = 0;
        for (const { slot, at } of own.filter(({ what }) => what === 'start').sort((a, b) => a.at - b.at)) {
            assert.ok(at >= free, `${job} ${tenant} ${slot} started while its lane was taken`);
            free = ends.get(slot) ?? free;
        }
    }

    const past = await pastOf(fleet, ['tick', 'tenant-tick']);
    const { fates, flaws } = accountFor({ lanes, first, last, evidence, past });
    assert.deepEqual(flaws, []);
    t.diagnostic(
        `${kills} kills; ${[...fates].map(([job, counts]) => `${job}: ${JSON.stringify([...counts])}`)}`,
    );
    const ran = [...fates.values()].reduce((sum, counts) => sum + (counts.get('succeeded') ?? 0), 0);
    assert.ok(ran > (lanes.length * SECONDS) / 2, `only ${ran} slots ran`);
});
