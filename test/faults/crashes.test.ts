import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Explanation, pretendOutage, readJournal } from '../support/journal_reader.js';
import { assertOnce, type Fleet, openFleet, until } from '../support/servers.js';

const JOBS = {
    // Only the process that is told to takes long.
    slow: `{
        meta(){ this.schedule('* * * * * *'); },
        missed: 'skip', retries: 1, environments: ['production'],
        async run(){
            note(this, 'start');
            await sleep(Number(process.env.SLOW ?? 0));
            note(this, 'end');
        }
    }`,
    minutely: `{
        meta(){ this.schedule('* * * * *'); },
        missed: 'all',
        run(){ note(this, 'start'); }
    }`,
    hourly: `{
        meta(){ this.schedule('30 5 */1 * * *'); },
        missedWithin: '6h',
        run(){ note(this, 'start'); }
    }`,
};

const STARTED = { job: 'slow', what: 'start' } as const;
const ENDED = { job: 'slow', what: 'end' } as const;

// An app for each test: they mostly wait, and can do so together.
const openApp = () => openFleet(JOBS);

describe('one server or two', { concurrency: true }, () => {
    describe('a process that is killed', { concurrency: true }, () => {
        test('in the middle of a run: it is run again once, and then its lane is free', async () => {
            const fleet = await openApp();
            const victim = fleet.start({ SLOW: '60000' });
            const [first] = await until('a run', () => fleet.evidence(STARTED));
            victim.kill('SIGKILL');
            await victim.ended;
            const killedAt = Date.now();
            const others = [fleet.start(), fleet.start()];
            await Promise.all(others.map(({ started }) => started));
            const startedAt = Date.now();
            await until('the second attempt', async () =>
                (await fleet.evidence(ENDED)).some(({ slot }) => slot === first?.slot),
            );
            const endedAt = Date.now();
            const next = await until('the next slot', async () =>
                (await fleet.evidence(ENDED)).filter(({ slot }) => slot > (first?.slot ?? 0)),
            );
            assert.ok(next.length > 0);
            for (const server of others) server.kill('SIGTERM');
            await Promise.all(others.map(({ ended }) => ended));

            const attempts = (await fleet.evidence()).filter(
                ({ what, slot }) => what === 'start' && slot === first?.slot,
            );
            assert.deepEqual(
                attempts.map(({ attempt }) => attempt),
                [1, 2],
            );
            assert.ok(endedAt - killedAt >= 10_000, `given up after ${endedAt - killedAt} ms`);
            assert.ok(endedAt - startedAt < 16_000, `given up after ${endedAt - startedAt} ms`);
            assert.deepEqual(endingsOf(await runsOf(fleet, 'slow'), first?.slot), ['succeeded, attempt 2']);
            assertOnce((await fleet.evidence()).filter(({ slot }) => slot !== first?.slot));
        });

        test('between take and start: nothing had run, and the attempt counts', async () => {
            const fleet = await openApp();
            const victim = fleet.start({ DIE_AT: 'run-started' });
            await victim.ended;
            assert.deepEqual(await fleet.evidence(), []);
            const [taken] = await runsOf(fleet, 'slow');
            assert.equal(taken?.outcome, 'running');
            fleet.start();
            await until('the second attempt', () => fleet.evidence(ENDED));
            await fleet.stop();
            assert.deepEqual(endingsOf(await runsOf(fleet, 'slow'), taken?.slot), ['succeeded, attempt 2']);
            assertOnce(await fleet.evidence());
        });

        test('during a migration: the next one does it from the start', async () => {
            const fleet = await openApp();
            const code = `
            import { Database } from ${JSON.stringify(new URL('../../lib/engines/embedded/database.js', import.meta.url).href)};
            import { openFile } from ${JSON.stringify(new URL('../../lib/engines/embedded/file.js', import.meta.url).href)};
            const exec = Database.prototype.exec;
            Database.prototype.exec = function(sql){ sql.includes('user_version') ? process.kill(process.pid, 'SIGKILL') : exec.call(this, sql); };
            openFile(${JSON.stringify(fleet.journal)});
        `;
            const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
                cwd: fleet.app.root,
            });
            const [, signal] = await once(child, 'exit');
            assert.equal(signal, 'SIGKILL');
            fleet.start();
            await until('a run', () => fleet.evidence(ENDED));
            await fleet.stop();
            assert.equal((await readJournal(fleet.journal)).integrity, 'ok');
        });
    });

    test("a process that is stopped (SIGSTOP) past its lease and goes on: its run is the other one's, no slot runs twice, and it takes part again", async () => {
        const fleet = await openApp();
        const sleeper = fleet.start({ SLOW: '3000' });
        const [first] = await until('a run', () => fleet.evidence(STARTED));
        sleeper.kill('SIGSTOP');
        const other = fleet.start();
        await until('the second attempt', async () =>
            (await fleet.evidence(ENDED)).some(({ attempt }) => attempt === 2),
        );
        sleeper.kill('SIGCONT');
        await until('its end', async () =>
            (await fleet.evidence(ENDED)).some(({ slot, attempt }) => slot === first?.slot && attempt === 1),
        );
        await delay(1_500);
        other.kill('SIGTERM');
        await other.ended;
        const seen = (await fleet.evidence()).length;
        await until('more of it', async () => (await fleet.evidence()).length > seen);
        await fleet.stop();
        assert.deepEqual(endingsOf(await runsOf(fleet, 'slow'), first?.slot), ['succeeded, attempt 2']);
        assert.match(sleeper.output(), /given it up as lost/);
        assertOnce((await fleet.evidence()).filter(({ slot }) => slot !== first?.slot));
    });

    test('slots that came while no bot ran: over two hours: two bots that start at the same moment catch up once', async () => {
        const fleet = await openApp();
        fleet.start();
        await until('a run', () => fleet.evidence(ENDED));
        await fleet.stop();
        await rm(`${fleet.app.root}/evidence`);
        await pretendOutage(fleet.journal, 7_200);
        const env = { START_AT: String(Date.now() + 3_000) };
        const now = Math.floor(Date.now() / 1000);
        fleet.start(env);
        fleet.start(env);
        await until(
            'the catch-up',
            async () => ((await fleet.evidence({ job: 'minutely', what: 'start' })).length ?? 0) >= 60,
        );
        await delay(1_500);
        await fleet.stop();
        const evidence = await fleet.evidence();
        assertOnce(evidence);
        const minutely = evidence.filter(({ job }) => job === 'minutely');
        const slots = minutely.map(({ slot }) => slot);
        assert.deepEqual(slots, [...slots].sort(), 'in order');
        assert.ok(minutely.length >= 60 && minutely.length <= 62, `${minutely.length} of the last hour`);
        assert.ok(Math.min(...slots) > now - 3_660);
        assert.equal(evidence.filter(({ job }) => job === 'hourly').length, 1, 'once');
        const { skips } = await readJournal(fleet.journal);
        assert.deepEqual(
            skips
                .filter(({ job }) => job !== 'slow')
                .map(({ job, reason }) => `${job} ${reason}`)
                .sort(),
            ['hourly superseded', 'minutely too old'],
        );
    });
});

async function runsOf(fleet: Fleet, job: string): Promise<Explanation[]> {
    return (await readJournal(fleet.journal)).runs.filter((run) => run.job === job);
}

function endingsOf(runs: readonly Explanation[], slot: number | undefined): string[] {
    return runs
        .filter((run) => run.slot === slot)
        .map(({ outcome, attempt }) => `${outcome}, attempt ${attempt}`);
}
