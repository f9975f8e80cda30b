import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Database } from '../../lib/engines/embedded/database.js';
import { readJournal } from '../support/journal_reader.js';
import { type Fleet, openFleet, until } from '../support/servers.js';

const TICK = `{
    meta(){ this.schedule('* * * * * *'); },
    multiTenant: false, missed: 'all',
    run(){ note(this, 'start'); }
}`;

const READER = `{
    meta(){ this.schedule('* * * * * *'); },
    multiTenant: false,
    async run(){ (await import('node:fs')).readFileSync('bot_production.db'); }
}`;

const ticks = (fleet: Fleet) => fleet.evidence({ job: 'tick' });

const moreTicks = async (fleet: Fleet, count: number) => {
    const seen = (await ticks(fleet)).length;
    await until(`${count} more`, async () => (await ticks(fleet)).length >= seen + count);
};

async function assertOnce(fleet: Fleet, doubled: number): Promise<void> {
    const slots = (await ticks(fleet)).map(({ slot }) => slot);
    const twice = slots.length - new Set(slots).size;
    assert.ok(twice <= doubled, `${twice} slots ran twice: ${slots}`);
}

describe('the file of a journal that a bot has open', { concurrency: true }, () => {
    test('is read in its own process, and commands come and go: two bots run each slot once', async () => {
        const fleet = await openFleet({ tick: TICK, reader: READER });
        const servers = [fleet.start(), fleet.start()];
        await Promise.all(servers.map(({ started }) => started));
        await moreTicks(fleet, 2);
        for (let times = 0; times < 3; times++) {
            assert.equal((await fleet.command('list-background-jobs')).code, 0);
            await moreTicks(fleet, 2);
        }
        await fleet.stop();
        await assertOnce(fleet, 0);
        assert.equal((await readJournal(fleet.journal)).integrity, 'ok');
    });

    test('is deleted: both bots say so in one line, and go on together in a new one', async () => {
        const fleet = await openFleet({ tick: TICK });
        const servers = [fleet.start(), fleet.start()];
        await Promise.all(servers.map(({ started }) => started));
        await moreTicks(fleet, 2);
        for (const suffix of ['', '-wal', '-shm']) await rm(`${fleet.journal}${suffix}`, { force: true });
        await until('a new file', () => stat(fleet.journal).catch(() => undefined));
        await moreTicks(fleet, 4);
        await fleet.stop();
        for (const { output } of servers) {
            assert.equal(output().match(/deleted or replaced|replaced/g)?.length, 1, output());
            assert.match(output(), /bot stopped/, 'it went on until then');
        }
        // Within the second in which it happens one may.
        await assertOnce(fleet, 1);
    });

    test('is locked for 30 s: each slot of two bots has one run, or one reason', async () => {
        const fleet = await openFleet({ tick: TICK.replace("'all'", "'skip'") });
        const servers = [fleet.start(), fleet.start()];
        await Promise.all(servers.map(({ started }) => started));
        await moreTicks(fleet, 2);
        const holder = new Database(fleet.journal);
        await until('the lock', async () => {
            try {
                holder.exec('BEGIN IMMEDIATE');
                return true;
            } catch {
                return false;
            }
        });
        await delay(30_000);
        holder.exec('ROLLBACK');
        await moreTicks(fleet, 4);
        await fleet.stop();
        const { runs, skips } = await readJournal(fleet.journal);
        const accounted = [
            ...runs.map(({ slot }) => slot),
            ...skips.flatMap(({ first, last, count }) => {
                assert.equal(count, last - first + 1);
                return Array.from({ length: count }, (_, index) => first + index);
            }),
        ].sort((a, b) => a - b);
        const [first = 0] = accounted;
        assert.deepEqual(
            accounted,
            accounted.map((_, index) => first + index),
        );
        assert.ok(skips.reduce((sum, { count }) => sum + count, 0) >= 18, JSON.stringify(skips));
        assert.doesNotMatch(servers.map(({ output }) => output()).join(''), /has been running for/);
        await assertOnce(fleet, 0);
    });
});
