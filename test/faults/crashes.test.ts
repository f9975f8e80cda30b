import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Explanation, pretendOutage, readJournal } from '../support/journal_reader.js';
import { assertOnce, type Evidence, type Fleet, openFleet, until } from '../support/servers.js';

const JOBS = {
    // Only the process that is told to takes long.
    slow: `{
        meta(){ this.schedule('* * * * * *'); },
        missed: 'skip', retries: 1, environments: ['production'],
        async run(){
            note(this, 'start');
            console.log('attempt ' + this.currentRun.attempt);
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

const fleets: Fleet[] = [];
after(() => Promise.all(fleets.map((fleet) => fleet.stop())));

// An app for each test: they mostly wait, and can do so together.
async function openApp(): Promise<Fleet> {
    const fleet = await openFleet(JOBS);
    fleets.push(fleet);
    return fleet;
}

describe('one server or two', { concurrency: true }, () => {
    describe('a process that is killed', { concurrency: true }, () => {
        test('in the middle of a run: it is run again once, and then its lane is free', async () => {
            const fleet = await openApp();
            const victim = fleet.start({ SLOW: '60000' });
            const [first] = await until('a run', () => evidenceOf(fleet, 'slow', 'start'));
            // What it has printed is written with a beat.
            await delay(3_000);
            victim.kill('SIGKILL');
            await victim.ended;
            const killedAt = Date.now();
            const others = [fleet.start(), fleet.start()];
            await Promise.all(others.map(({ started }) => started));
            const startedAt = Date.now();
            await until('the second attempt', async () =>
                (await evidenceOf(fleet, 'slow', 'end'))?.some(({ slot }) => slot === first?.slot),
            );
            const endedAt = Date.now();
            const next = await until('the next slot', async () =>
                (await evidenceOf(fleet, 'slow', 'end'))?.filter(({ slot }) => slot > (first?.slot ?? 0)),
            );
            assert.ok(next.length > 0);
            const words = ['show-background-job', 'slow', '--runs', '1000', '--json'];
            const call = (...args: string[]) =>
                fleet.app
                    .start(['node_modules/pinstripe-bot/dist/bin/pinstripe_bot.js', ...args], {
                        NODE_ENV: 'production',
                    })
                    .ended();
            const { past } = JSON.parse((await call(...words)).stdout).job;
            const { id } = past.find(
                ({ kind, attempt }: { kind: string; attempt: number }) => kind === 'run' && attempt === 2,
            );
            assert.match(
                (await call('show-background-job', 'slow', '--run', id)).stdout,
                /Output\n {2}attempt 1\n {2}attempt 2\n/,
            );
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
            await until('the second attempt', () => evidenceOf(fleet, 'slow', 'end'));
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
            await until('a run', () => evidenceOf(fleet, 'slow', 'end'));
            await fleet.stop();
            assert.equal((await readJournal(fleet.journal)).integrity, 'ok');
        });
    });

    describe('a process that is stopped (SIGSTOP) past its lease and goes on', () => {
        test("its run is the other one's, no slot runs twice, and it takes part again", async () => {
            const fleet = await openApp();
            const sleeper = fleet.start({ SLOW: '3000' });
            const [first] = await until('a run', () => evidenceOf(fleet, 'slow', 'start'));
            sleeper.kill('SIGSTOP');
            const other = fleet.start();
            await until('the second attempt', async () =>
                (await evidenceOf(fleet, 'slow', 'end'))?.some(({ attempt }) => attempt === 2),
            );
            sleeper.kill('SIGCONT');
            await until('its end', async () =>
                (await evidenceOf(fleet, 'slow', 'end'))?.some(
                    ({ slot, attempt }) => slot === first?.slot && attempt === 1,
                ),
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
    });

    describe('slots that came while no bot ran', () => {
        test('a few seconds ago: the latest is late, and runs under every policy', async () => {
            const fleet = await openApp();
            fleet.start();
            await until('a run', () => evidenceOf(fleet, 'slow', 'end'));
            await fleet.stop();
            const before = Math.max(...(await fleet.evidence()).map(({ slot }) => slot));
            await delay(2_500);
            fleet.start();
            const after = await until('more runs', async () =>
                (await evidenceOf(fleet, 'slow', 'end'))?.filter(({ slot }) => slot > before),
            );
            assert.ok(after.length > 0);
            await fleet.stop();
            const { skips } = await readJournal(fleet.journal);
            const caughtUp = Math.min(...after.map(({ slot }) => slot));
            const [missed, ...others] = skips.filter(({ job, last }) => job === 'slow' && last < caughtUp);
            assert.deepEqual([missed?.first, missed?.reason], [before + 1, 'missed']);
            // On a busy machine the late one is superseded before it starts.
            assert.equal([missed, ...others].at(-1)?.last, caughtUp - 1);
            for (const { reason } of others) assert.equal(reason, 'superseded');
            assertOnce(await fleet.evidence());
        });

        test('over two hours: two bots that start at the same moment catch up once', async () => {
            const fleet = await openApp();
            fleet.start();
            await until('a run', () => evidenceOf(fleet, 'slow', 'end'));
            await fleet.stop();
            await rm(`${fleet.app.root}/evidence`);
            await pretendOutage(fleet.journal, 7_200);
            const env = { START_AT: String(Date.now() + 3_000) };
            const now = Math.floor(Date.now() / 1000);
            fleet.start(env);
            fleet.start(env);
            await until(
                'the catch-up',
                async () => ((await evidenceOf(fleet, 'minutely', 'start'))?.length ?? 0) >= 60,
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

    describe('a job that is paused from another process', () => {
        test('runs no more within a second, across a restart, and from its next slot when it is resumed', async () => {
            const fleet = await openApp();
            const bot = (...words: string[]) =>
                fleet.app
                    .start(['node_modules/pinstripe-bot/dist/bin/pinstripe_bot.js', ...words], {
                        NODE_ENV: 'production',
                    })
                    .ended();
            const first = fleet.start();
            await until('a run', () => evidenceOf(fleet, 'slow', 'end'));
            assert.deepEqual(await bot('pause-background-job', 'slow'), {
                code: 0,
                stdout: 'paused slow\n',
                stderr: '',
            });
            const pausedAt = Math.floor(Date.now() / 1000);
            await delay(2_500);
            first.kill('SIGTERM');
            await first.ended;
            await delay(2_000);
            const second = fleet.start();
            await second.started;
            await delay(1_500);
            assert.equal(
                (await bot('resume-background-job', '--all')).stdout,
                'resumed all background jobs\n',
            );
            const resumedAt = Math.floor(Date.now() / 1000);
            const after = await until('a run after it', async () =>
                (await evidenceOf(fleet, 'slow', 'end'))?.filter(({ slot }) => slot > pausedAt + 1),
            );
            await fleet.stop();
            assert.ok(Math.min(...after.map(({ slot }) => slot)) >= resumedAt);
            const { skips } = await readJournal(fleet.journal);
            const paused = skips.filter(({ reason }) => reason === 'paused');
            const count = paused.reduce((sum, skip) => sum + skip.count, 0);
            assert.ok(count >= 4 && paused.length <= 2, JSON.stringify(skips));
            assertOnce(await fleet.evidence());
        });
    });
});

test('a run that was recorded for later runs once, although the server is killed before', async () => {
    const fleet = await openFleet({ ...JOBS, later: `{ run(){ note(this, 'start'); } }` });
    fleets.push(fleet);
    const victim = fleet.start();
    await victim.started;
    const words = ['run-background-job', 'later', '--in', '4s', '--json'];
    const cli = 'node_modules/pinstripe-bot/dist/bin/pinstripe_bot.js';
    const { code, stdout } = await fleet.app.start([cli, ...words], { NODE_ENV: 'production' }).ended();
    assert.equal(code, 0);
    victim.kill('SIGKILL');
    await victim.ended;
    const others = [fleet.start(), fleet.start()];
    const [run] = await until('the run', () => evidenceOf(fleet, 'later', 'start'));
    await delay(2_000);
    await fleet.stop();
    assert.ok((run?.at ?? 0) >= Date.parse(JSON.parse(stdout).runAt));
    assert.ok(others.some(({ child }) => child.pid === run?.pid));
    assert.equal((await fleet.evidence({ job: 'later' })).length, 1);
});

async function evidenceOf(
    fleet: Fleet,
    job: string,
    what: Evidence['what'],
): Promise<Evidence[] | undefined> {
    const found = (await fleet.evidence()).filter((line) => line.job === job && line.what === what);
    return found.length > 0 ? found : undefined;
}

async function runsOf(fleet: Fleet, job: string): Promise<Explanation[]> {
    return (await readJournal(fleet.journal)).runs.filter((run) => run.job === job);
}

function endingsOf(runs: readonly Explanation[], slot: number | undefined): string[] {
    return runs
        .filter((run) => run.slot === slot)
        .map(({ outcome, attempt }) => `${outcome}, attempt ${attempt}`);
}
