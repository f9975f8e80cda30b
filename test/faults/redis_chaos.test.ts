import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PastRun, PastSkips } from '../../lib/runs/history.js';
import { configFor, readHistory, readUnfinished } from '../support/redis_reader.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis_server.js';
import { type Evidence, type Fleet, openFleet, type Server, until } from '../support/servers.js';

const SECONDS = 50;
const TENANTS = ['acme', 'globex', 'initech', 'hooli', 'umbrella'];
const RUN = `async run(){ note(this, 'start'); await sleep(800 * Math.random()); note(this, 'end'); }`;

/** How often each job's code may run for a slot: once, and once more for each retry. */
const MOST_ATTEMPTS: Readonly<Record<string, number>> = { once: 1, again: 3, lane: 1, line: 1 };

/** Jobs that may skip a slot because their lane is taken. */
const MAY_SKIP = ['lane', 'line'];

/** How long it takes until Redis has been told of an end, in milliseconds: at once, or after it was away. */
const TOLD = 1_500;
const TOLD_AFTER_OUTAGE = 3_000;

const ROLES = ['both', 'both', 'scheduler', 'worker'];

describe('four processes on one Redis', { skip: skipWithoutRedis }, () => {
    let redis: RedisServer;
    let fleet: Fleet;

    before(async () => {
        redis = await startRedis();
        const job = (settings: string) => `{
            meta(){ this.schedule('* * * * * *'); }, missed: 'all', ${settings},
            ${RUN}
        }`;
        fleet = await openFleet(
            {
                once: job(`overlap: 'allow'`),
                again: job(`overlap: 'allow', retries: 2, retryDelay: '500ms'`),
                lane: job(`overlap: 'skip'`),
                line: job(`overlap: 'queue'`),
            },
            configFor(redis.url),
        );
    });

    after(async () => {
        await fleet.stop();
        await redis.stop();
    });

    test('killed at random, their Redis restarted twice and silent once: 1,000 slots, each accounted for', async (t) => {
        const env = (index: number) => ({ TENANTS: TENANTS.join(','), ROLE: ROLES[index] ?? 'both' });
        const servers: Server[] = ROLES.map((_, index) => fleet.start(env(index)));
        await Promise.all(servers.map(({ started }) => started));
        const first = Math.floor(Date.now() / 1000) + 1;
        const last = first + SECONDS - 1;
        const end = last * 1000 + 500;

        const kills = new Map<number, number>();
        const outages: [number, number][] = [];
        const outage = async (begin: () => unknown, length: number, finish: () => unknown) => {
            const from = Date.now();
            await begin();
            await delay(length);
            await finish();
            outages.push([from, Date.now()]);
        };
        // What a process that was killed by then had not said.
        const toldBy = (at: number) => {
            const during = outages.find(([from, to]) => at > from - TOLD && at < to);
            return during ? during[1] + TOLD_AFTER_OUTAGE : at + TOLD;
        };
        const killing = (async () => {
            while (Date.now() < end) {
                await delay(1_000 + 3_000 * Math.random());
                const victim = Math.floor(servers.length * Math.random());
                // One that is still starting has nothing to lose.
                await servers[victim]?.started;
                kills.set(servers[victim]?.child.pid ?? 0, Date.now());
                servers[victim]?.kill('SIGKILL');
                await delay(1_000 * Math.random());
                servers[victim] = fleet.start(env(victim));
            }
        })();
        await delay(10_000);
        await outage(() => redis.stop('SIGTERM'), 2_000, redis.start);
        await delay(9_000);
        await outage(
            () => redis.signal('SIGSTOP'),
            8_000,
            () => redis.signal('SIGCONT'),
        );
        await delay(9_000);
        await outage(() => redis.stop('SIGKILL'), 1_000, redis.start);
        await killing;
        // What a killed process left behind is found by its lease, by BullMQ's stalled check, and by a look around; lanes
        // that catch up go on for as long as that takes, while newer slots come.
        await until(
            'the end of all slots of the storm',
            async () =>
                (await readUnfinished(redis.url)).every(({ scheduledAt = Infinity }) => scheduledAt > last),
            150_000,
        );
        await fleet.stop();

        const history = await readHistory(redis.url, Object.keys(MOST_ATTEMPTS));
        const evidence = await fleet.evidence();
        const seen = { ran: 0, again: 0, lost: 0, skipped: 0 };
        for (const [job, most] of Object.entries(MOST_ATTEMPTS)) {
            for (const tenant of TENANTS) {
                for (let slot = first; slot <= last; slot++) {
                    const lines = evidence.filter(
                        (line) => line.job === job && line.tenant === tenant && line.slot === slot,
                    );
                    const what = `${job} ${tenant} ${slot}`;
                    const killed = lines.filter(({ what, pid, at }) => {
                        const killedAt = kills.get(pid) ?? Infinity;
                        return what === 'start' && killedAt > at && killedAt < toldBy(endOf(lines, pid));
                    }).length;
                    const explanation = explanationOf(history, job, tenant, slot);
                    const maySkip = MAY_SKIP.includes(job);
                    judge(what, { lines, killed, most, explanation, maySkip }, seen);
                }
            }
        }
        const unfinished = history.filter((past) => past.kind === 'run' && past.outcome === 'running');
        assert.deepEqual(unfinished, []);
        t.diagnostic(
            `${kills.size} kills; ${seen.ran} of ${SECONDS * TENANTS.length * 4} slots ran, ${seen.again} of them again after a ` +
                `kill; ${seen.lost} were lost before their code, ${seen.skipped} skipped for their lane`,
        );
        assert.ok(seen.ran > SECONDS * TENANTS.length * 2, `only ${seen.ran} ran`);
    });
});

interface Case {
    readonly lines: readonly Evidence[];
    /** How many of its processes were killed within it, or before they could tell of its end. */
    readonly killed: number;
    readonly most: number;
    readonly explanation: PastRun | PastSkips | undefined;
    readonly maySkip: boolean;
}

/** A slot ran as often as it may: once, unless a process was killed within it. */
function judge(
    what: string,
    { lines, killed, most, explanation, maySkip }: Case,
    seen: { ran: number; again: number; lost: number; skipped: number },
): void {
    const starts = lines.filter((line) => line.what === 'start');
    assert.ok(starts.length <= most, `${what} ran ${starts.length} times`);
    assert.ok(
        starts.length <= 1 + killed,
        `${what} ran ${starts.length} times, and was killed ${killed} times`,
    );
    assert.ok(explanation, `nothing tells what became of ${what}`);
    if (starts.length > 0) {
        seen.ran += 1;
        if (starts.length > 1) seen.again += 1;
        const outcome = explanation.kind === 'run' ? explanation.outcome : 'skipped';
        const isLost = killed > 0 && outcome === 'lost';
        assert.equal(outcome, isLost ? 'lost' : 'succeeded', `${what}: ${JSON.stringify(explanation)}`);
    } else if (explanation.kind === 'run') {
        seen.lost += 1;
        assert.equal(
            explanation.outcome,
            'lost',
            `${what} has not run, and is said to have: ${JSON.stringify(explanation)}`,
        );
    } else {
        seen.skipped += 1;
        assert.ok(maySkip, `${what} was skipped: ${JSON.stringify(explanation)}`);
        assert.match(explanation.reason, /^(overlap|superseded)$/, what);
    }
}

function endOf(lines: readonly Evidence[], pid: number): number {
    return lines.find((line) => line.what === 'end' && line.pid === pid)?.at ?? Infinity;
}

function explanationOf(
    history: readonly (PastRun | PastSkips)[],
    job: string,
    tenant: string,
    slot: number,
): PastRun | PastSkips | undefined {
    const own = history.filter((past) => past.job === job && (past.tenant ?? tenant) === tenant);
    return (
        own.find((past) => past.kind === 'run' && past.scheduledAt === slot) ??
        own.find((past) => past.kind === 'skips' && past.first <= slot && past.last >= slot)
    );
}
