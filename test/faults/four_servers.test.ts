import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type JournalContents, readJournal } from '../support/journal_reader.js';
import { openFleet, type Server, until } from '../support/servers.js';

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
        const lanes = [
            { job: 'tick', tenant: null },
            ...TENANTS.map((tenant) => ({ job: 'tenant-tick', tenant })),
        ];
        const slots = Array.from({ length: SECONDS }, (_, index) => first + index);
        const cases = lanes.flatMap((lane) => slots.map((slot) => ({ ...lane, slot })));
        // What a killed run left behind is found by its lease, and what nobody was there for by the next who starts.
        await until(
            'every slot to be accounted for',
            async () => {
                const journal = await readJournal(fleet.journal);
                return cases.every((one) => !['unfinished', undefined].includes(outcomeOf(one, journal)));
            },
            120_000,
        );
        await fleet.stop();

        const journal = await readJournal(fleet.journal);
        assert.equal(journal.integrity, 'ok');
        const reasons: Record<string, number> = {};
        let ran = 0;
        for (const { job, tenant } of lanes) {
            const own = await fleet.evidence({ job, tenant });
            const starts = own.filter(({ what }) => what === 'start').sort((a, b) => a.at - b.at);
            let free = 0;
            for (const { slot, at } of starts) {
                assert.ok(at >= free, `${job} ${tenant} ${slot} started while its lane was taken`);
                free = own.find((line) => line.what === 'end' && line.slot === slot)?.at ?? free;
            }
            for (const slot of slots) {
                const times = starts.filter((line) => line.slot === slot).length;
                assert.ok(times <= 1, `${job} ${tenant} ${slot} ran ${times} times`);
                ran += times;
                const outcome = outcomeOf({ job, tenant, slot }, journal) as string;
                if (times === 0) assert.notEqual(outcome, 'succeeded', `${job} ${tenant} ${slot}`);
                if (times === 0) reasons[outcome] = (reasons[outcome] ?? 0) + 1;
            }
        }
        const unfinished = journal.runs.filter(({ outcome }) => outcome === 'unfinished');
        assert.deepEqual(unfinished, []);
        t.diagnostic(
            `${kills} kills; ${ran} of ${lanes.length * SECONDS} slots ran; the others: ${JSON.stringify(reasons)}`,
        );
        assert.ok(ran > (lanes.length * SECONDS) / 2, `only ${ran} slots ran`);
    });
});

/** How a slot's run ended, or why there was none. */
function outcomeOf(
    { job, tenant, slot }: { job: string; tenant: string | null; slot: number },
    { runs, skips }: JournalContents,
): string | undefined {
    const run = runs.find((found) => found.job === job && found.tenant === tenant && found.slot === slot);
    const skip = skips.find(
        (found) =>
            found.job === job &&
            (found.tenant === tenant || found.tenant === null) &&
            found.first <= slot &&
            found.last >= slot,
    );
    return run?.outcome ?? skip?.reason;
}
