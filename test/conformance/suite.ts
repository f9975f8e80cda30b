import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_JOURNAL } from '../../lib/config/config.js';
import type { JobPlan } from '../../lib/jobs/job_plan.js';
import { readSettings, type Settings } from '../../lib/jobs/settings.js';
import type { DueSchedule, Engine, EngineHost, Request, Result, TakenRun } from '../../lib/runs/engine.js';
import type { BotEvent } from '../../lib/runs/events.js';
import type { PastRun, PastSkips } from '../../lib/runs/history.js';
import { shownOutput } from '../../lib/runs/output.js';
import { ALL_JOBS } from '../../lib/runs/pause.js';
import { createRun, latenessOf, type Run } from '../../lib/runs/run.js';
import type { Json } from '../../lib/schedule/args.js';
import { createSchedule, type Schedule } from '../../lib/schedule/schedule.js';
import { offsetIn } from '../../lib/schedule/spread.js';
import { planBackfill } from '../../lib/scheduler/backfill.js';
import type { Runtime } from '../../lib/scheduler/runtime.js';
import { readError } from '../../lib/text/errors.js';
import { ManualClock } from '../../lib/time/manual_clock.js';
import { planOf as newPlan, pauseFor } from '../support/job_overviews.js';

/** 2026-01-01 00:00:00 UTC */
export const SLOT = 1_767_225_600;

/** What a test needs from an engine's store: engines that share it, as processes do. */
export interface Store {
    /** Another engine on the same store. */
    createEngine(): Engine;
    /** What is left is removed. */
    destroy(): void | Promise<void>;
    /** The longest that something may take until another process knows of it, in milliseconds; more on a busy machine. */
    readonly patience: number;
    /** Makes an engine's process dead to the others; its clock stands still already. */
    kill?(engine: Engine): void;
    /** Lets it go on. */
    revive?(engine: Engine): void;
}

/** One process. */
interface Member {
    readonly engine: Engine;
    readonly clock: ManualClock;
    readonly events: BotEvent[];
    /** The attempts that it has begun, in order. */
    readonly taken: TakenRun[];
    /** The jobs that it knows. */
    readonly plans: Map<string, JobPlan>;
    /** Ends the attempt that it has begun as its nth, from 0. */
    end(which: number, result?: Result): void;
    /** From now on whatever it takes ends at once like this. */
    endAll(result: Result | undefined): void;
}

const HISTORY = { environment: 'production', journal: DEFAULT_JOURNAL };

const SUCCEEDED: Result = { kind: 'ended', outcome: 'succeeded' };

/**
 * The promises that every engine keeps.
 *
 * @param name the engine's
 * @param createStore makes an empty store; it is called before each test
 */
export function testEngine(name: string, createStore: () => Store | Promise<Store>): void {
    describe(`the engine "${name}"`, () => {
        let store: Store;
        let members: Member[];
        let alone: Member;
        const dead = new Set<Member>();
        const kill = (member: Member) => {
            dead.add(member);
            store.kill?.(member.engine);
        };
        const revive = (member: Member) => {
            dead.delete(member);
            store.revive?.(member.engine);
        };

        const join = async ({ works = true, concurrency = 10, at = SLOT * 1000 } = {}): Promise<Member> => {
            const engine = store.createEngine();
            const clock = new ManualClock(at);
            const events: BotEvent[] = [];
            const taken: TakenRun[] = [];
            const plans = new Map<string, JobPlan>();
            const ends = new Map<string, (result: Result) => void>();
            let always: Result | undefined;
            const member: Member = {
                engine,
                clock,
                events,
                taken,
                plans,
                end: (which, result = SUCCEEDED) => {
                    const { id } = (taken[which] as TakenRun).run;
                    const end = ends.get(id);
                    assert.ok(end, 'it goes on');
                    ends.delete(id);
                    end(result);
                },
                endAll: (result) => {
                    always = result;
                    if (result) for (const [id, end] of ends) if (ends.delete(id)) end(result);
                },
            };
            const host: EngineHost = {
                clock,
                emit: (event) => events.push(event),
                ...HISTORY,
                config: { concurrency, turn: 30_000 },
                outputKept: 2,
                planOf: (job) => plans.get(job),
                perform: (one) => {
                    taken.push(one);
                    if (always) return Promise.resolve(always);
                    return new Promise((resolve) => ends.set(one.run.id, resolve));
                },
                failingAfter: () => 3,
                recovered: () => {},
            };
            await engine.open(host);
            if (works) engine.work();
            members.push(member);
            return member;
        };

        /** Makes a job known to members, with an every-second schedule. */
        const job = (
            jobName: string,
            settings: Partial<Record<keyof Settings, unknown>> = {},
            to = members,
        ): Schedule => {
            const schedule = createSchedule(jobName, ['* * * * * *'], 'UTC');
            const plan = planOf(jobName, { multiTenant: false, ...settings }, [schedule]);
            for (const { plans } of to) plans.set(jobName, plan);
            return schedule;
        };

        const enqueue = async (
            member: Member,
            schedule: Schedule,
            slot: number,
            parts: Partial<DueSchedule> = {},
        ) => {
            const plan = member.plans.get(schedule.job);
            assert.ok(plan);
            for (const { clock } of members) clock.step(Math.max(0, slot * 1000 - clock.now()));
            const handled = await member.engine.handledUntil([schedule], (parts.run?.[0] ?? slot) - 1);
            const due: DueSchedule = {
                schedule,
                plan,
                position: 0,
                from: handled?.get(schedule.key) ?? 0,
                until: slot,
                run: [slot],
                catchesUp: false,
                skipped: [],
                decidesAnew: false,
                ...parts,
            };
            return member.engine.enqueue([due], slot);
        };

        /** Waits until something is so. */
        const until = async (isSo: () => boolean | Promise<boolean>, what: string | (() => string)) => {
            const end = performance.now() + store.patience;
            while (!(await isSo())) {
                if (performance.now() > end)
                    assert.fail(`in vain: ${typeof what === 'string' ? what : what()}`);
                await delay(2);
            }
        };
        const begun = (member: Member, count: number) =>
            until(
                () => member.taken.length >= count,
                () => `${count} attempts, there are ${member.taken.length}`,
            );
        /** Its first slot starts. */
        const begin = async (member: Member, schedule: Schedule) => {
            await enqueue(member, schedule, SLOT + 1);
            await begun(member, 1);
        };
        const beginJob = async (...those: Parameters<typeof job>) => {
            const schedule = job(...those);
            await begin(alone, schedule);
            return schedule;
        };
        /** Its first attempt fails, and the next one waits until then. */
        const retry = async (member: Member, second: number) => {
            member.end(0, {
                kind: 'retries',
                at: (SLOT + second) * 1000,
                error: readError(new Error('not yet')),
            });
            await until(() => member.events.some(({ type }) => type === 'run-retrying'), 'the retry');
        };
        const ended = (member: Member, which: number) => {
            const id = member.taken[which]?.run.id;
            return until(() => endedRuns(member).some((run) => run.id === id), `the end of ${which}`);
        };
        const past = async (jobName: string): Promise<readonly (PastRun | PastSkips)[]> => {
            const reader = members.find((member) => !dead.has(member)) as Member;
            const history = await reader.engine.history(HISTORY);
            return history.search(jobName, {}, 1000);
        };
        /** Each slot of a job with what became of it, oldest first: `['0 succeeded', '1 overlap']`. */
        const account = async (jobName: string): Promise<string[]> =>
            (await past(jobName))
                .flatMap((one): [number, string][] => {
                    if (one.kind === 'run') return [[(one.scheduledAt ?? SLOT) - SLOT, one.outcome]];
                    return Array.from({ length: one.count }, (_, index) => [
                        one.first + index - SLOT,
                        one.reason,
                    ]);
                })
                .sort(([a, first], [b, second]) => a - b || (first < second ? -1 : 1))
                .map(([slot, word]) => `${slot} ${word}`);
        const reads = (jobName: string, expected: string[]) =>
            until(
                async () => JSON.stringify(await account(jobName)) === JSON.stringify(expected),
                `${expected}`,
            ).catch(async () => assert.deepEqual(await account(jobName), expected));
        /** Lets a second pass in these processes; the others stand still. */
        const pass = async (seconds: number, ...those: Member[]) => {
            for (let second = 0; second < seconds; second++)
                for (const { clock } of those) {
                    await clock.advance(1000);
                    await delay(2);
                }
        };

        /** A process dies, and another one finds that out. */
        const die = async (member: Member, ...others: Member[]) => {
            kill(member);
            for (const { engine } of others) engine.work();
            await pass(20, ...others);
        };

        beforeEach(async () => {
            store = await createStore();
            members = [];
            alone = await join();
        });

        afterEach(async () => {
            for (const member of members) {
                revive(member);
                member.endAll(SUCCEEDED);
                await member.engine.close();
            }
            await store.destroy();
        });

        test('describes itself in a few words for the log', () => {
            assert.match(alone.engine.description, new RegExp(`^${name}\\b.{0,200}$`));
        });

        describe('a slot', () => {
            test('runs once, however many processes enqueue it, and is then handled', async () => {
                const others = [alone, await join(), await join(), await join()];
                const schedule = job('digest');
                for (const member of others) member.endAll(SUCCEEDED);
                for (let second = 1; second <= 5; second++) {
                    await Promise.all(others.map((member) => enqueue(member, schedule, SLOT + second)));
                    await until(() => others.flatMap(endedRuns).length === second, 'the end of the run');
                }
                await reads('digest', succeeded(1, 2, 3, 4, 5));
                assert.equal(others.flatMap(({ taken }) => taken).length, 5);
                const handled = await alone.engine.handledUntil([schedule], SLOT + 100);
                assert.equal(handled?.get(schedule.key), SLOT + 5);
            });

            test('that somebody else has handled is told to whoever comes second', async () => {
                const schedule = job('digest');
                alone.endAll(SUCCEEDED);
                await enqueue(alone, schedule, SLOT + 3);
                const moved = await enqueue(alone, schedule, SLOT + 2, { from: SLOT + 1 });
                assert.deepEqual([...(moved ?? [])], [[schedule.key, SLOT + 3]]);
            });

            for (const overlap of ['skip', 'queue', 'replace', 'allow'])
                test(`that two schedules have in common is one run, which goes on as the second comes, with ${overlap}`, async () => {
                    await beginJob('digest', { overlap });
                    const other = createSchedule('digest', ['*/1 * * * * *'], 'UTC');
                    await enqueue(alone, other, SLOT + 1);
                    await enqueue(alone, other, SLOT + 1);
                    assert.equal(alone.taken.length, 1);
                    assert.equal(alone.taken[0]?.signal.aborted, false);
                    assert.deepEqual(endedRuns(alone), []);
                    alone.end(0);
                    await ended(alone, 0);
                    await reads('digest', ['1 succeeded']);
                });

            test('of a schedule that nobody has seen before owes nothing', async () => {
                const schedule = job('digest');
                const handled = await alone.engine.handledUntil([schedule], SLOT);
                assert.equal(handled?.get(schedule.key), SLOT);
            });

            test('has its reason where it does not run, and successive ones share it', async () => {
                const schedule = job('digest');
                const skipped = [skips('missed', 1, 4, 4)];
                await enqueue(alone, schedule, SLOT + 4, { run: [], skipped });
                await enqueue(alone, schedule, SLOT + 5, {
                    run: [],
                    skipped: [skips('missed', 5, 5, 1)],
                });
                const [one, ...others] = await past('digest');
                assert.equal(others.length, 0);
                assert.ok(one?.kind === 'skips');
                assert.deepEqual(
                    [one.reason, one.first, one.last, one.count],
                    ['missed', SLOT + 1, SLOT + 5, 5],
                );
            });

            test('does not come again where the clock was set back, whether it ran or was skipped', async () => {
                const schedule = job('digest');
                alone.endAll(SUCCEEDED);
                await enqueue(alone, schedule, SLOT + 7201);
                await enqueue(alone, schedule, SLOT + 7202, {
                    run: [],
                    skipped: [skips('missed', 7202, 7202, 1)],
                });
                await reads('digest', ['7201 succeeded', '7202 missed']);
                await alone.engine.rewind(SLOT);
                await enqueue(alone, schedule, SLOT + 7201);
                await enqueue(alone, schedule, SLOT + 7202);
                await enqueue(alone, schedule, SLOT + 7203);
                await reads('digest', ['7201 succeeded', '7202 missed', '7203 succeeded']);
                assert.equal(alone.taken.length, 2);
            });
        });

        describe('a lane', () => {
            const POLICIES: Record<string, string[]> = {
                skip: ['1 succeeded', '2 overlap', '3 overlap'],
                // The oldest waits.
                queue: ['1 succeeded', '2 succeeded', '3 overlap'],
                // The run is asked to end, and the newest waits.
                replace: ['1 aborted', '2 superseded', '3 succeeded'],
                allow: succeeded(1, 2, 3),
            };
            for (const [overlap, expected] of Object.entries(POLICIES))
                test(`takes what comes while a run goes on by ${overlap}`, async () => {
                    const schedule = await beginJob('digest', { overlap });
                    await enqueue(alone, schedule, SLOT + 2);
                    await enqueue(alone, schedule, SLOT + 3);
                    if (overlap === 'allow') await begun(alone, 3);
                    const { signal } = alone.taken[0] as TakenRun;
                    await until(() => signal.aborted === (overlap === 'replace'), 'the abort');
                    const replaced: Result = { kind: 'ended', outcome: 'aborted', reason: signal.reason };
                    alone.end(0, overlap === 'replace' ? replaced : SUCCEEDED);
                    alone.endAll(SUCCEEDED);
                    await reads('digest', expected);
                    const reasons = (await past('digest')).map(({ reason }) => reason);
                    assert.equal(reasons.includes('replaced'), overlap === 'replace');
                });

            test('replace asks a run of another process to end', async () => {
                const other = await join({ works: false });
                const schedule = await beginJob('digest', { overlap: 'replace' });
                await enqueue(other, schedule, SLOT + 2);
                await pass(2, alone);
                await until(() => alone.taken[0]?.signal.aborted === true, 'the abort');
            });

            test('is another for other args, tenants and jobs', async () => {
                const schedules = [job('a'), job('b'), createSchedule('a', ['* * * * * *', 'weekly'], 'UTC')];
                for (const schedule of schedules) await enqueue(alone, schedule, SLOT + 1);
                await begun(alone, 3);
            });

            test('lets the newer one supersede one that has not started', async () => {
                for (const overlap of ['skip', 'replace']) {
                    alone.engine.rest();
                    const idle = await join({ works: false });
                    const schedule = job(`never-${overlap}`, { overlap }, [idle]);
                    for (const second of [1, 2, 3]) await enqueue(idle, schedule, SLOT + second);
                    alone.plans.set(schedule.job, idle.plans.get(schedule.job) as JobPlan);
                    alone.endAll(SUCCEEDED);
                    alone.engine.work();
                    await reads(schedule.job, ['1 superseded', '2 superseded', '3 succeeded']);
                }
            });

            test('is kept by a run that waits for its retry, and the slot is skipped', async () => {
                const schedule = await beginJob('digest', { retries: 1 });
                await retry(alone, 4);
                await enqueue(alone, schedule, SLOT + 2);
                await pass(12, alone);
                await begun(alone, 2);
                assert.equal(alone.taken[1]?.run.attempt, 2);
                alone.endAll(SUCCEEDED);
                await reads('digest', ['1 succeeded', '2 overlap']);
            });

            test('replace ends a run that waits for its retry', async () => {
                const schedule = await beginJob('digest', { retries: 1, overlap: 'replace' });
                await retry(alone, 100);
                await enqueue(alone, schedule, SLOT + 2);
                await begun(alone, 2);
                alone.endAll(SUCCEEDED);
                await reads('digest', ['1 aborted', '2 succeeded']);
                const first = (await past('digest')).find(
                    (one) => one.kind === 'run' && one.outcome === 'aborted',
                );
                assert.equal(first?.reason, 'replaced');
            });
        });

        describe('what catches up', () => {
            for (const overlap of ['skip', 'queue', 'replace', 'allow'])
                test(`goes one after another, in order, under ${overlap}`, async () => {
                    const schedule = job('digest', { overlap, missed: 'all' });
                    await enqueue(alone, schedule, SLOT + 5, {
                        run: [1, 2, 3, 4, 5].map((second) => SLOT + second),
                        catchesUp: true,
                    });
                    await begun(alone, 1);
                    // A slot that comes due meanwhile joins the line.
                    await enqueue(alone, schedule, SLOT + 6);
                    for (let index = 0; index < 6; index++) {
                        await begun(alone, index + 1);
                        assert.equal(alone.taken.length, index + 1);
                        assert.equal(alone.taken[index]?.run.scheduledAt, SLOT + 1 + index);
                        assert.equal(alone.taken[index]?.signal.aborted, false);
                        alone.end(index);
                    }
                    await reads('digest', succeeded(1, 2, 3, 4, 5, 6));
                });

            test('is at most the latest hundred of a lane', async () => {
                const schedule = job('digest', { missed: 'all' });
                const slots = (from: number, to: number) =>
                    Array.from({ length: to - from + 1 }, (_, index) => SLOT + from + index);
                await enqueue(alone, schedule, SLOT + 90, { run: slots(1, 90), catchesUp: true });
                await begun(alone, 1);
                await enqueue(alone, schedule, SLOT + 120, { run: slots(91, 120), catchesUp: true });
                alone.endAll(SUCCEEDED);
                const expected = slots(1, 120).map((slot) => {
                    const second = slot - SLOT;
                    return `${second} ${second > 1 && second <= 20 ? 'too many' : 'succeeded'}`;
                });
                await reads('digest', expected);
            });
        });

        describe('a gap', () => {
            const waiting = async (missed: string, overlap = 'queue') => {
                const idle = await join({ works: false });
                const schedule = job('digest', { missed, overlap });
                await enqueue(idle, schedule, SLOT + 1);
                await enqueue(idle, schedule, SLOT + 2);
                const found = (await idle.engine.waiting()).of(schedule);
                assert.deepEqual(found, [SLOT + 1, SLOT + 2]);
                return { idle, schedule };
            };

            test('once: what waits since before it is superseded by the latest', async () => {
                alone.engine.rest();
                const { idle, schedule } = await waiting('once');
                const skipped = [1, 2].map((second) => skips('superseded', second, second, 1));
                await enqueue(idle, schedule, SLOT + 60, {
                    run: [SLOT + 60],
                    skipped,
                    catchesUp: true,
                    decidesAnew: true,
                });
                alone.endAll(SUCCEEDED);
                alone.engine.work();
                await reads('digest', ['1 superseded', '2 superseded', '60 succeeded']);
            });

            // On Redis, those that may overlap are in the queue already.
            for (const overlap of name === 'bullmq' ? ['queue'] : ['queue', 'allow'])
                test(`all: it is kept, goes one after another, and nothing is written down twice, under ${overlap}`, async () => {
                    alone.engine.rest();
                    const { idle, schedule } = await waiting('all', overlap);
                    const slots = [1, 2, 60].map((second) => SLOT + second);
                    const caughtUp = { run: slots, catchesUp: true, decidesAnew: true };
                    await enqueue(idle, schedule, SLOT + 60, caughtUp);
                    alone.engine.work();
                    for (const [index, slot] of slots.entries()) {
                        await begun(alone, index + 1);
                        assert.deepEqual(
                            [alone.taken.length, alone.taken[index]?.run.scheduledAt],
                            [index + 1, slot],
                        );
                        alone.end(index);
                    }
                    await reads('digest', succeeded(1, 2, 60));
                });

            test('leaves a schedule alone whose args are others', async () => {
                alone.engine.rest();
                const { idle, schedule } = await waiting('all');
                const other = createSchedule('digest', ['* * * * * *', 'other'], 'UTC');
                const found = await idle.engine.waiting();
                assert.deepEqual([found.of(other).length, found.of(schedule).length], [0, 2]);
            });

            // On Redis there is no order within a second.
            if (name === 'embedded')
                test('runs of several jobs go in the order of their slots, one at a time', async () => {
                    alone.engine.rest();
                    const one = await join({ concurrency: 1 });
                    const due = ['late', 'early', 'between'].map((jobName, position): DueSchedule => {
                        const schedule = job(jobName, {}, [one]);
                        const plan = one.plans.get(jobName) as JobPlan;
                        const slots = {
                            from: SLOT,
                            until: SLOT + 60,
                            run: [SLOT + ([50, 10, 30][position] ?? 0)],
                        };
                        const gap = { catchesUp: true, skipped: [], decidesAnew: true };
                        return { schedule, plan, position, ...slots, ...gap };
                    });
                    one.clock.step(60_000);
                    await one.engine.handledUntil(
                        due.map(({ schedule }) => schedule),
                        SLOT,
                    );
                    one.endAll(SUCCEEDED);
                    await one.engine.lastEnqueued();
                    await one.engine.enqueue(due, SLOT + 60);
                    await begun(one, 3);
                    assert.deepEqual(
                        one.taken.map(({ run }) => run.job),
                        ['early', 'between', 'late'],
                    );
                });

            test('is seen by how far any process has enqueued, and by that of those that are no more', async () => {
                assert.equal((await alone.engine.lastEnqueued())?.second, Number.NEGATIVE_INFINITY);
                const other = await join();
                await other.engine.enqueue([], SLOT + 7);
                await pass(1, other);
                await until(
                    async () => (await alone.engine.lastEnqueued())?.second === SLOT + 7,
                    'the second',
                );
                assert.equal((await alone.engine.lastEnqueued())?.byOthers, true);
                await other.engine.close();
                assert.equal((await alone.engine.lastEnqueued())?.second, SLOT + 7);
                assert.equal((await alone.engine.lastEnqueued())?.byOthers, false);
            });

            test('is ended by one process: what it has kept is not decided on again by one that looked before', async () => {
                const other = await join();
                for (const { engine } of members) engine.rest();
                const schedule = job('digest', { missed: 'all' });
                await enqueue(alone, schedule, SLOT + 1, { run: [] });
                await pass(2, alone);
                for (const { engine } of members) await engine.lastEnqueued();
                const kept = { run: [SLOT + 50, SLOT + 60], catchesUp: true, decidesAnew: true };
                assert.ok(await enqueue(alone, schedule, SLOT + 60, kept));
                const late = await enqueue(other, schedule, SLOT + 61, {
                    run: [],
                    skipped: [skips('too old', 50, 61, 2)],
                    decidesAnew: true,
                });
                assert.equal(late, undefined);
                const waiting = await other.engine.waiting();
                assert.deepEqual(waiting.of(schedule), [SLOT + 50, SLOT + 60]);
            });
        });

        describe('a slot of a job with tenants', () => {
            const fansOut = (tenants: string[]): Result => ({ kind: 'fans out', tenants });

            test('runs for the tenants in their order, where one run takes up the whole process', async () => {
                alone.engine.rest();
                const one = await join({ concurrency: 1 });
                const tenants = ['b', 'c', 'a', 'e', 'd'];
                const schedule = job('invoices', { multiTenant: true }, [one]);
                await begin(one, schedule);
                one.end(0, fansOut(tenants));
                one.endAll(SUCCEEDED);
                await begun(one, 6);
                assert.deepEqual(
                    one.taken.slice(1).map(({ run }) => run.tenant),
                    tenants,
                );
            });

            test('runs once for each tenant, each in its own lane', async () => {
                const schedule = await beginJob('invoices', { multiTenant: true });
                assert.equal(alone.taken[0]?.kind, 'slot');
                alone.end(0, fansOut(['a', 'b', 'c']));
                await begun(alone, 4);
                const tenants = alone.taken.slice(1).map(({ run }) => run.tenant);
                assert.deepEqual(tenants.sort(), ['a', 'b', 'c']);
                alone.end(1);
                await ended(alone, 1);
                await enqueue(alone, schedule, SLOT + 2);
                await begun(alone, 5);
                alone.end(4, fansOut(['a', 'b', 'c']));
                await begun(alone, 6);
                alone.endAll(SUCCEEDED);
                await reads('invoices', [...succeeded(1, 1, 1), '2 overlap', '2 overlap', '2 succeeded']);
            });

            test('makes a thousand runs', async () => {
                await beginJob('invoices', { multiTenant: true });
                const tenants = Array.from({ length: 1000 }, (_, index) => `t${index}`);
                alone.end(0, fansOut(tenants));
                alone.endAll(SUCCEEDED);
                await until(() => alone.taken.length === 1001, 'all runs');
            });

            test('goes on to the last tenant where one of the first is skipped', async () => {
                const schedule = await beginJob('invoices', { multiTenant: true, overlap: 'skip' });
                const tenants = Array.from({ length: 450 }, (_, index) => `t${index}`);
                alone.end(0, fansOut(['t5']));
                await begun(alone, 2);
                await enqueue(alone, schedule, SLOT + 2);
                await begun(alone, 3);
                alone.end(2, fansOut(tenants));
                alone.endAll(SUCCEEDED);
                await until(() => endedRuns(alone).length === 451, 'an end for each tenant');
            });

            test('waits while another of it lists the tenants, and is not skipped', async () => {
                const schedule = await beginJob('invoices', { multiTenant: true });
                await enqueue(alone, schedule, SLOT + 2);
                await enqueue(alone, schedule, SLOT + 3);
                alone.end(0, fansOut(['a']));
                await begun(alone, 3);
                const which = alone.taken.findIndex(({ run }) => run.tenant === 'a');
                alone.end(which);
                await ended(alone, which);
                alone.end(3 - which, fansOut(['a']));
                alone.endAll(SUCCEEDED);
                await reads('invoices', ['1 succeeded', '2 superseded', '3 succeeded']);
            });

            test('fails as a run does where its tenants cannot be listed', async () => {
                await beginJob('invoices', { multiTenant: true });
                alone.end(0, failed(new Error('no table')));
                await reads('invoices', ['1 failed']);
                const [run] = await past('invoices');
                assert.ok(run?.kind === 'run' && !run.manual);
                assert.match(run.error ?? '', /no table/);
            });

            test('without tenants is skipped, with that reason', async () => {
                await beginJob('invoices', { multiTenant: true });
                alone.end(0, { kind: 'ended', outcome: 'skipped', reason: 'no tenants' });
                await reads('invoices', ['1 no tenants']);
            });
        });

        describe('a retry', () => {
            test('survives its process, and is made by another', async () => {
                const other = await join();
                const schedule = job('digest', { retries: 1 });
                other.engine.rest();
                await begin(alone, schedule);
                await retry(alone, 4);
                await alone.engine.close();
                other.engine.work();
                await pass(32, other);
                await begun(other, 1);
                assert.equal(other.taken[0]?.run.attempt, 2);
                other.endAll(SUCCEEDED);
                await until(() => endedRuns(other).length === 1, 'the end');
            });

            test('holds neither its turn nor the runs of other lanes back', async () => {
                const one = await join({ concurrency: 1 });
                alone.engine.rest();
                const [first, second] = [job('first', { retries: 1 }), job('second')];
                await enqueue(one, first, SLOT + 1);
                await begun(one, 1);
                await enqueue(one, second, SLOT + 1);
                await retry(one, 60);
                await begun(one, 2);
                assert.equal(one.taken[1]?.run.job, 'second');
            });
        });

        describe('a process that dies', () => {
            test('loses its runs, whose lanes are free again', async () => {
                const other = await join({ works: false });
                const schedule = await beginJob('digest');
                await die(alone, other);
                await until(() => endedRuns(other).some(({ outcome }) => outcome === 'lost'), 'the loss');
                await enqueue(other, schedule, SLOT + 21);
                await begun(other, 1);
                other.endAll(SUCCEEDED);
                await reads('digest', ['1 lost', '21 succeeded']);
            });

            test('has its run made again by one other, where retries leave an attempt', async () => {
                const others = [await join(), await join()];
                for (const other of others) other.engine.rest();
                await beginJob('digest', { retries: 1 });
                await die(alone, ...others);
                await until(() => others.flatMap(({ taken }) => taken).length === 1, 'one attempt');
                const [again] = others.flatMap(({ taken }) => taken);
                assert.equal(again?.run.id, alone.taken[0]?.run.id);
                assert.equal(again?.run.attempt, 2);
            });

            test('has its listing of tenants taken up again, whatever retries says', async () => {
                const other = await join({ works: false });
                await beginJob('invoices', { multiTenant: true });
                await die(alone, other);
                await begun(other, 1);
                assert.equal(other.taken[0]?.kind, 'slot');
            });

            test('is told when it goes on, and what became of its run stands', async () => {
                const other = await join({ works: false });
                await beginJob('digest');
                await die(alone, other);
                await until(() => endedRuns(other).some(({ outcome }) => outcome === 'lost'), 'the loss');
                revive(alone);
                alone.end(0);
                await until(() => alone.events.some(({ type }) => type === 'run-was-lost'), 'the note');
                await reads('digest', ['1 lost']);
            });
        });

        describe('a run by hand', () => {
            const ask = (member: Member, jobName: string, parts: Partial<Run> = {}) => {
                const run = { ...runOf(jobName), ...parts };
                const plan = member.plans.get(jobName) as JobPlan;
                return { run, over: member.engine.request({ run, plan, isAwaited: true }) };
            };

            test('is made by the process that asks, and answers when it is over', async () => {
                const other = await join({ works: false });
                job('digest');
                const { over } = ask(other, 'digest');
                await begun(other, 1);
                other.end(0, failed(new Error('no')));
                assert.equal((await over).outcome, 'failed');
                assert.equal(alone.taken.length, 0);
            });

            test('holds its lane for others, and is refused where the lane is busy', async () => {
                const other = await join({ works: false });
                const schedule = job('digest');
                ask(other, 'digest');
                await begun(other, 1);
                await enqueue(alone, schedule, SLOT + 1);
                const refused = await ask(other, 'digest').over;
                assert.deepEqual([refused.outcome, refused.reason], ['skipped', 'overlap']);
                other.end(0);
                await until(async () => (await account('digest')).includes('1 overlap'), 'the skip');
            });

            test('goes before one of its lane that waits for its turn', async () => {
                alone.engine.rest();
                const schedule = job('digest');
                await enqueue(alone, schedule, SLOT + 1);
                const { over } = ask(alone, 'digest');
                await begun(alone, 1);
                alone.end(0);
                assert.equal((await over).outcome, 'succeeded');
                alone.engine.work();
                await begun(alone, 2);
                assert.equal(alone.taken[1]?.run.scheduledAt, SLOT + 1);
            });

            test('says who asked, and in which span, in the process that executes it, and who in history', async () => {
                const other = await join({ works: false });
                const schedule = job('digest', { overlap: 'allow' });
                for (const member of members) member.endAll(SUCCEEDED);
                const requestedBy = 'ada@web-1';
                await ask(other, 'digest', { requestedBy }).over;
                const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
                const asked = { manual: true, requestedBy: 'bob@web-2', traceparent };
                const run = createRun({ job: 'digest', args: [], ...asked });
                const plan = other.plans.get('digest') as JobPlan;
                await other.engine.request({ run, plan, isAwaited: false });
                await pass(1, alone);
                await begun(alone, 1);
                await enqueue(alone, schedule, SLOT + 2);
                const askers = async () =>
                    (await past('digest')).map((one) => one.kind === 'run' && one.requestedBy);
                const expected = new Set([requestedBy, 'bob@web-2', undefined]);
                // One that has just ended may be on its way into history.
                await until(async () => isDeepStrictEqual(new Set(await askers()), expected), 'all of them');
                assert.equal(alone.taken[0]?.run.requestedBy, 'bob@web-2');
                assert.equal(alone.taken[0]?.run.traceparent, traceparent);
            });

            test('for a slot takes it away from nobody', async () => {
                const schedule = job('digest');
                alone.endAll(SUCCEEDED);
                await ask(alone, 'digest', { scheduledAt: SLOT + 1 }).over;
                await enqueue(alone, schedule, SLOT + 1);
                await until(() => alone.taken.length === 2, 'both');
            });

            test('ends when it is aborted, also while it waits', async () => {
                job('digest', { overlap: 'queue', retries: 1 });
                const first = ask(alone, 'digest');
                await begun(alone, 1);
                const second = ask(alone, 'digest');
                await alone.engine.abort(second.run.id, 'interrupted');
                assert.deepEqual([(await second.over).outcome, alone.taken.length], ['skipped', 1]);
                await alone.engine.abort(first.run.id, 'interrupted');
                assert.equal(alone.taken[0]?.signal.reason, 'interrupted');
            });
        });

        describe('a pause', () => {
            const pausesIn = async ({ engine }: Member) =>
                (await engine.pauses()).map(({ job, until, reason, by }) => [job, until, reason, by]);

            test('skips the slots of the job, and of no other, in every process', async () => {
                const other = await join();
                const [paused, free] = [job('digest'), job('other')];
                for (const member of members) member.endAll(SUCCEEDED);
                await alone.engine.pause(pauseFor('digest'));
                await pass(1, other);
                await enqueue(other, paused, SLOT + 1);
                await enqueue(other, free, SLOT + 1);
                await reads('digest', ['1 paused']);
                await reads('other', ['1 succeeded']);
                assert.deepEqual(await pausesIn(other), [['digest', undefined, undefined, undefined]]);
                await other.engine.resume('digest');
                await pass(1, alone);
                await enqueue(alone, paused, SLOT + 2);
                await reads('digest', ['1 paused', '2 succeeded']);
            });

            test('skips what waits and has not started, and lets a retry wait until its end', async () => {
                const schedule = job('digest', { retries: 1 });
                const second = job('second');
                alone.engine.rest();
                await enqueue(alone, second, SLOT + 1);
                await alone.engine.pause(pauseFor('second'));
                alone.engine.work();
                await reads('second', ['1 paused']);
                await begin(alone, schedule);
                await retry(alone, 3);
                await alone.engine.pause(pauseFor(ALL_JOBS));
                await pass(6, alone);
                await delay(20);
                assert.equal(alone.taken.length, 1);
                await alone.engine.resume(ALL_JOBS);
                await pass(1, alone);
                await begun(alone, 2);
            });

            for (const paused of ['digest', ALL_JOBS])
                test(`of ${paused} ends by itself, in every process: with no slot of its time, and with what it held up`, async () => {
                    const other = await join({ works: false });
                    const schedule = job('digest', { retries: 1, missed: 'all' });
                    await begin(alone, schedule);
                    await retry(alone, 2);
                    other.engine.work();
                    const until = (SLOT + 5) * 1000;
                    const pause = pauseFor(paused, { until, reason: 'supplier\tdown\n', by: 'ada@web-1' });
                    await alone.engine.pause(pauseFor(paused, { reason: 'for ever' }));
                    await alone.engine.pause(pause);
                    assert.deepEqual(await pausesIn(other), [[paused, until, pause.reason, 'ada@web-1']]);
                    await pass(2, alone, other);
                    await enqueue(other, schedule, SLOT + 3);
                    await pass(1, alone, other);
                    assert.equal(alone.taken.length + other.taken.length, 1);
                    for (const member of members) member.endAll(SUCCEEDED);
                    await pass(2, alone, other);
                    await reads('digest', ['1 succeeded', '3 paused']);
                    // Nobody was there for these; the pause was over from the second of them on.
                    const missed = { run: [SLOT + 4, SLOT + 5, SLOT + 6], catchesUp: true };
                    await enqueue(other, schedule, SLOT + 6, missed);
                    await reads('digest', [
                        '1 succeeded',
                        '3 paused',
                        '4 paused',
                        '5 succeeded',
                        '6 succeeded',
                    ]);
                    // It is over: nobody has anything to resume.
                    await alone.engine.resume(ALL_JOBS);
                    await enqueue(alone, schedule, SLOT + 8, { run: [SLOT + 7, SLOT + 8], catchesUp: true });
                    await reads('digest', ['1 succeeded', '3 paused', '4 paused', ...succeeded(5, 6, 7, 8)]);
                });

            test('concerns no run by hand, outlives its process, and leaves nothing to catch up on', async () => {
                const schedule = job('digest');
                await alone.engine.handledUntil([schedule], SLOT);
                await alone.engine.pause(pauseFor('digest'));
                const run = runOf('digest');
                alone.endAll(SUCCEEDED);
                const plan = alone.plans.get('digest') as JobPlan;
                assert.equal(
                    (await alone.engine.request({ run, plan, isAwaited: true })).outcome,
                    'succeeded',
                );
                await alone.engine.close();
                const next = await join();
                assert.deepEqual(await pausesIn(next), [['digest', undefined, undefined, undefined]]);
                await next.clock.advance(3_600_000);
                await next.engine.resume('digest');
                const handled = await next.engine.handledUntil([schedule], SLOT + 3600);
                assert.equal(handled?.get(schedule.key), SLOT + 3600);
            });
        });

        test('a rolling release: leaves a job that a process does not know to one that does, without an attempt', async () => {
            const other = await join();
            const schedule = job('new', {}, [other]);
            other.endAll(SUCCEEDED);
            for (let second = 1; second <= 5; second++) {
                await enqueue(other, schedule, SLOT + second);
                await begun(other, second);
            }
            await pass(1, alone, other);
            await reads('new', succeeded(1, 2, 3, 4, 5));
            assert.equal(alone.taken.length, 0);
        });

        test('a backfill of what is missing leaves out the slots that have succeeded, by the clock or by hand, and no others', async () => {
            const schedule = job('digest');
            const plans = [...alone.plans.values()];
            const runtime = { ...HISTORY, engine: alone.engine, ready: async () => ({ plans }) };
            const stretch = { name: 'digest', from: SLOT + 1, to: SLOT + 6, isOnlyMissing: true };
            const missing = async () => {
                const { runs, succeeded } = await planBackfill(stretch, runtime as unknown as Runtime);
                return [succeeded, ...runs.map(({ scheduledAt = 0 }) => scheduledAt - SLOT)];
            };
            assert.deepEqual(await missing(), [0, 1, 2, 3, 4, 5]);
            alone.endAll(SUCCEEDED);
            await enqueue(alone, schedule, SLOT + 1);
            await reads('digest', ['1 succeeded']);
            const run = { ...runOf('digest'), scheduledAt: SLOT + 4 };
            await alone.engine.request({ run, plan: plans[0] as JobPlan, isAwaited: true });
            alone.endAll(failed(new Error('no')));
            await enqueue(alone, schedule, SLOT + 2);
            await reads('digest', ['1 succeeded', '2 failed', '4 succeeded']);
            assert.deepEqual(await missing(), [2, 2, 3, 5]);
        });

        test('a run of a job that no process knows has its reason after five minutes', async () => {
            const schedule = job('gone');
            alone.engine.rest();
            await enqueue(alone, schedule, SLOT + 1);
            alone.plans.delete('gone');
            alone.engine.work();
            for (const [seconds, expected] of [
                [290, []],
                [20, ['1 unknown job']],
            ] as const) {
                alone.clock.step(seconds * 1000);
                await pass(1, alone);
                await reads('gone', [...expected]);
            }
        });

        describe('the spread', () => {
            // By their hash, within ten seconds.
            const offsets = (tenants: readonly (string | undefined)[]) =>
                tenants.map((tenant) => offsetIn(10_000, 'digest', tenant));

            test('of a job lets its run start at its share, and lateness counts from there', async () => {
                const schedule = job('digest', { spread: '10s' });
                const [offset = 0] = offsets([undefined]);
                await enqueue(alone, schedule, SLOT + 1);
                while (alone.clock.now() < (SLOT + 1) * 1000 + offset - 1_000) {
                    assert.equal(alone.taken.length, 0);
                    await pass(1, alone);
                }
                await pass(3, alone);
                await begun(alone, 1);
                const run = alone.taken[0]?.run as Run;
                assert.equal(run.scheduledAt, SLOT + 1);
                assert.ok(latenessOf({ ...run, startedAt: run.startedAt ?? 0 }) <= 3_000);
            });

            test('of a multi-tenant job gives each tenant a share of its own', async () => {
                const tenants = ['acme', 'beta', 'gamma', 'delta'];
                const schedule = job('digest', { multiTenant: true, spread: '10s' });
                await enqueue(alone, schedule, SLOT + 1);
                await begun(alone, 1);
                alone.end(0, { kind: 'fans out', tenants });
                alone.endAll(SUCCEEDED);
                const started = () => alone.taken.slice(1).map(({ run }) => run.tenant);
                const shares = new Map(offsets(tenants).map((offset, index) => [tenants[index], offset]));
                for (let seconds = 0; seconds < 13; seconds++) {
                    await pass(1, alone);
                    const due = (SLOT + 1) * 1000;
                    for (const tenant of started())
                        assert.ok(due + (shares.get(String(tenant)) ?? 0) <= alone.clock.now(), `${tenant}`);
                }
                await begun(alone, 1 + tenants.length);
                assert.deepEqual(started().sort(), [...tenants].sort());
            });
        });

        describe('later', () => {
            const ask = (member: Member, more: Partial<Request> = {}, args: Json[] = []) => {
                const run = createRun({ job: 'welcome', args, manual: true, requestedBy: 'ada@web-1' });
                const plan = alone.plans.get('welcome') as JobPlan;
                return member.engine.request({ run, plan, isAwaited: false, heedsPauses: true, ...more });
            };
            const waiting = async () => (await alone.engine.history(HISTORY)).waitingRuns(100);

            test('a run survives the process that asks, and keeps its lane, its attempts and who asked', async () => {
                const other = await join({ works: false });
                job('welcome', { retries: 1 });
                alone.engine.rest();
                const { id } = await ask(alone, { runAt: (SLOT + 5) * 1000 });
                await ask(alone, { runAt: (SLOT + 6) * 1000 });
                await alone.engine.close();
                other.engine.work();
                await pass(7, other);
                await begun(other, 1);
                assert.deepEqual(
                    [other.taken[0]?.run.id, other.taken[0]?.run.requestedBy],
                    [id, 'ada@web-1'],
                );
                await retry(other, 9);
                await pass(3, other);
                await begun(other, 2);
                assert.deepEqual([other.taken[1]?.run.id, other.taken[1]?.run.attempt], [id, 2]);
                other.endAll(SUCCEEDED);
                await until(() => endedRuns(other).some((run) => run.id === id), 'the end');
            });

            test('of those with a key one waits: it stays, or the new one takes its place, whoever asks', async () => {
                const other = await join();
                job('welcome');
                for (const { engine } of members) engine.rest();
                const later = { runAt: (SLOT + 5) * 1000 };
                const keep = { ...later, key: { name: 'user-7', whenQueued: 'keep' as const } };
                const asked = await Promise.all(members.map((member) => ask(member, keep)));
                assert.equal(new Set(asked.map(({ id }) => id)).size, 1);
                await ask(alone, { ...later, key: { name: 'user-8', whenQueued: 'keep' } }, ['other']);
                const [{ id }] = asked as [Run];
                assert.deepEqual(
                    new Set((await waiting()).map((run) => run.key)),
                    new Set(['user-7', 'user-8']),
                );
                const replace = { ...later, key: { name: 'user-7', whenQueued: 'replace' as const } };
                const newer = await ask(other, replace, ['newer']);
                assert.notEqual(newer.id, id);
                assert.deepEqual(
                    (await waiting()).filter((run) => run.key === 'user-7').map((run) => run.id),
                    [newer.id],
                );
                // One that has started keeps no other from waiting.
                other.engine.work();
                await pass(7, other);
                await begun(other, 2);
                const next = await ask(other, { ...keep, runAt: (SLOT + 60) * 1000 }, ['next']);
                assert.equal(new Set([id, newer.id, next.id]).size, 3);
            });

            test('a pause lets it wait until its end, and a run that is not to heed it goes on', async () => {
                job('welcome');
                await alone.engine.pause(pauseFor('welcome'));
                const held = await ask(alone, {}, ['held']);
                await ask(alone, { heedsPauses: false }, ['now']);
                await begun(alone, 1);
                assert.deepEqual(alone.taken[0]?.run.args, ['now']);
                await pass(4, alone);
                assert.equal(alone.taken.length, 1);
                await alone.engine.resume('welcome');
                await pass(4, alone);
                await begun(alone, 2);
                assert.equal(alone.taken[1]?.run.id, held.id);
            });

            test('one that waits is cancelled, one that goes on is asked to end, one that is over is not there', async () => {
                const other = await join({ works: false });
                job('welcome');
                const going = await ask(alone);
                await begun(alone, 1);
                const { id } = await ask(alone, { runAt: (SLOT + 5) * 1000 });
                assert.equal(await other.engine.abort(id, 'cancelled'), true);
                assert.deepEqual(
                    (await waiting()).map((run) => run.id).filter((one) => one === id),
                    [],
                );
                assert.equal(await other.engine.abort(id, 'cancelled'), false);
                assert.equal(await other.engine.abort(going.id, 'cancelled'), true);
                await until(async () => {
                    await pass(1, alone);
                    return alone.taken[0]?.signal.aborted === true;
                }, 'the signal');
                assert.equal(alone.taken[0]?.signal.reason, 'cancelled');
                assert.equal(await alone.engine.abort('nobody', 'cancelled'), false);
            });

            test('a slot lists its tenants when it is taken, and each has a run', async () => {
                job('welcome', { multiTenant: true });
                await ask(alone, { kind: 'slot' });
                await begun(alone, 1);
                alone.end(0, { kind: 'fans out', tenants: ['acme', 'globex'] });
                await begun(alone, 3);
                assert.deepEqual(
                    alone.taken
                        .slice(1)
                        .map(({ run }) => run.tenant)
                        .sort(),
                    ['acme', 'globex'],
                );
            });
        });

        describe('runs that fail in a row', () => {
            const FAILED = failed(new Error('no paper'));
            const news = () =>
                members.flatMap(({ events }) =>
                    events.flatMap((event) =>
                        event.type === 'job-failing' || event.type === 'job-recovered'
                            ? [
                                  `${event.type} ${event.run.tenant ?? ''} ${event.failures} ${event.since / 1000 - SLOT}`,
                              ]
                            : [],
                    ),
                );
            /** A slot comes, and its run ends. */
            const ends = async (member: Member, schedule: Schedule, slot: number, result: Result) => {
                member.endAll(result);
                await enqueue(member, schedule, SLOT + slot);
                const isIt = ({ scheduledAt }: Run) => scheduledAt === SLOT + slot;
                await until(() => endedRuns(member).some(isIt), `the end of ${slot}`);
            };

            test('are told once, whatever process they are in, until one succeeds, and so is that', async () => {
                const schedule = job('digest');
                await ends(alone, schedule, 1, FAILED);
                await ends(alone, schedule, 2, FAILED);
                await alone.engine.close();
                const other = await join();
                job('digest');
                await ends(other, schedule, 3, FAILED);
                await ends(other, schedule, 4, FAILED);
                assert.deepEqual(news(), ['job-failing  3 1']);
                await ends(other, schedule, 5, SUCCEEDED);
                await ends(other, schedule, 6, SUCCEEDED);
                assert.deepEqual(news(), ['job-failing  3 1', 'job-recovered  4 1']);
                await ends(other, schedule, 7, FAILED);
                await ends(other, schedule, 8, FAILED);
                await ends(other, schedule, 9, SUCCEEDED);
                assert.equal(news().length, 2);
            });

            test('are also those whose process died, and not those that were skipped or aborted', async () => {
                const other = await join({ works: false });
                const schedule = job('digest');
                await ends(alone, schedule, 1, FAILED);
                await ends(alone, schedule, 2, { kind: 'ended', outcome: 'aborted', reason: 'replaced' });
                await ends(alone, schedule, 3, { kind: 'ended', outcome: 'skipped', reason: 'skipWhen' });
                await ends(alone, schedule, 4, FAILED);
                alone.endAll(undefined);
                await enqueue(alone, schedule, SLOT + 5);
                await begun(alone, 5);
                await die(alone, other);
                await until(() => news().length > 0, 'the news');
                assert.deepEqual(news(), ['job-failing  3 1']);
            });

            test('are counted for each tenant, and each once where they end at once in several processes', async () => {
                const both = [alone, await join()];
                job('digest', { overlap: 'allow' });
                const runs = ['acme', 'beta'].flatMap((tenant) =>
                    Array(5).fill({ ...runOf('digest'), tenant }),
                );
                for (const member of both) member.endAll(FAILED);
                await Promise.all(
                    runs.map((run, index) => {
                        const { engine, plans } = both[index % 2] as Member;
                        const plan = plans.get('digest') as JobPlan;
                        const own = { ...run, id: `${run.tenant} ${index}` };
                        return engine.request({ run: own, plan, isAwaited: true });
                    }),
                );
                await until(() => news().length >= 2, 'the news');
                assert.deepEqual(news().sort(), ['job-failing acme 3 0', 'job-failing beta 3 0']);
            });
        });

        describe('the output of a run', () => {
            const outputOf = async (reader: Member, { run: { job, id } }: TakenRun) => {
                const found = await (await reader.engine.history(HISTORY)).run(job, id);
                return found?.output && shownOutput(found.output);
            };
            const taking = (place: number) => alone.taken[place] as TakenRun;

            test('is read in other processes while it goes on, each for itself, and outlives its process', async () => {
                const other = await join({ works: false });
                await beginJob('one');
                await begin(alone, job('two'));
                await begun(alone, 2);
                taking(0).output.add('first\n');
                taking(1).output.add('second\n');
                await until(async () => {
                    await pass(1, alone);
                    return (await outputOf(other, taking(1))) === 'second\n';
                }, 'the beat');
                taking(0).output.add('more\n');
                alone.end(0);
                await ended(alone, 0);
                assert.equal(await outputOf(other, taking(0)), 'first\nmore\n');
                await die(alone, other);
                await reads('two', ['1 lost']);
                assert.equal(await outputOf(other, taking(1)), 'second\n');
            });

            test('is that of all its attempts, and at most the last 64 kB, from the beginning of a line', async () => {
                await beginJob('digest', { retries: 1 });
                taking(0).output.add('the first attempt\n');
                await retry(alone, 2);
                await pass(3, alone);
                await begun(alone, 2);
                taking(1).output.add('the second\n');
                for (let line = 0; line < 10_000; line++) taking(1).output.add(`line ${line} of many\n`);
                alone.end(1);
                await ended(alone, 1);
                const output = (await outputOf(alone, taking(0))) ?? '';
                assert.match(output, /^…\nline \d+ of many\n.*\nline 9999 of many\n$/s);
                assert.ok(output.length > 60_000 && output.length <= 65_540, `${output.length}`);
                const schedule = createSchedule('digest', ['* * * * * *'], 'UTC');
                await enqueue(alone, schedule, SLOT + 9);
                await begun(alone, 3);
                alone.end(2);
                await ended(alone, 2);
                assert.equal(await outputOf(alone, taking(2)), undefined, 'it was silent');
            });

            test('stays with the last two that did not fail, and with all that did', async () => {
                const schedule = job('digest');
                const results = [SUCCEEDED, failed(new Error('no')), SUCCEEDED, SUCCEEDED, SUCCEEDED];
                for (const [index, result] of results.entries()) {
                    await enqueue(alone, schedule, SLOT + 1 + index);
                    await begun(alone, index + 1);
                    taking(index).output.add(`${index}\n`);
                    alone.end(index, result);
                    await ended(alone, index);
                }
                const outputs = await Promise.all(results.map((_, index) => outputOf(alone, taking(index))));
                assert.deepEqual(outputs, [undefined, '1\n', undefined, '3\n', '4\n']);
            });
        });

        describe('the history', () => {
            test('has what the last runs of a lane took, newest first', async () => {
                const schedule = job('digest');
                for (let second = 1; second <= 3; second++) {
                    await enqueue(alone, schedule, SLOT + 10 * second);
                    await begun(alone, second);
                    await alone.clock.advance(second * 1000);
                    alone.end(second - 1, second === 2 ? failed(new Error('no')) : SUCCEEDED);
                    await ended(alone, second - 1);
                }
                const history = await alone.engine.history(HISTORY);
                const lane = { job: 'digest', args: [], tenant: undefined };
                assert.deepEqual(await history.durations(lane, 5), [3_000, 1_000]);
                assert.deepEqual(await history.durations(lane, 1), [3_000]);
                assert.deepEqual(await history.durations({ ...lane, tenant: 'acme' }, 5), []);
            });

            test('has what runs, and how it ended, in every process', async () => {
                const other = await join();
                const schedule = createSchedule('digest', ['* * * * * *', { deep: [] }], 'UTC');
                job('digest');
                await enqueue(alone, schedule, SLOT + 1);
                await until(() => members.some(({ taken }) => taken.length > 0), 'the start');
                const worker = members.find(({ taken }) => taken.length > 0) as Member;
                const history = await other.engine.history(HISTORY);
                const [running] = (await history.statusOf(['digest', 'other'])).get('digest')?.running ?? [];
                assert.equal(running?.outcome, 'running');
                worker.end(0, failed(new TypeError('no')));
                await ended(worker, 0);
                const status = await history.statusOf(['digest', 'other']);
                assert.deepEqual([...status.keys()], ['digest']);
                const [run] = status.get('digest')?.ended ?? [];
                assert.deepEqual(run?.args, [{ deep: [] }]);
                assert.equal(run.error, 'TypeError: no');
                assert.equal(run.attempt, 1);
                assert.equal(run.schedule, schedule.text);
                assert.deepEqual(status.get('digest')?.running, []);
            });

            test('finds runs by id, outcome and tenant, and has what goes on, what waits, and who works', async () => {
                // The store may have a clock of its own.
                const one = await join({ at: Date.now() });
                alone.engine.rest();
                job('a', { overlap: 'allow' });
                const history = await one.engine.history(HISTORY);
                const plan = one.plans.get('a') as JobPlan;
                const ask = async (tenant?: string, runAt?: number) => {
                    const run = createRun({ job: 'a', args: [], tenant, manual: true });
                    one.clock.step(10);
                    await one.engine.request({ run, plan, isAwaited: false, runAt });
                    return run.id;
                };
                const is = (id: string, outcome: string) =>
                    until(async () => (await history.run('a', id))?.outcome === outcome, `${id} ${outcome}`);
                const empty = await history.version(['a']);
                one.endAll(SUCCEEDED);
                const good = await ask('t1');
                await is(good, 'succeeded');
                one.endAll(failed(new TypeError('it is broken')));
                const bad = await ask('t2');
                await is(bad, 'failed');
                one.endAll(undefined);
                const going = await ask();
                await is(going, 'running');
                const later = await ask(undefined, Date.now() + 3_600_000);
                await is(later, 'waiting');

                const found = await history.run('a', bad);
                assert.equal(found?.error, 'TypeError: it is broken');
                assert.match(found?.stack ?? '', /^TypeError: it is broken\n +at .*suite/);
                assert.equal(await history.run('b', bad), undefined);
                assert.equal(await history.run('a', 'nobody'), undefined);

                const ids = async (search: object) =>
                    (await history.search('a', search, 10)).flatMap((past) =>
                        past.kind === 'run' ? past.id : [],
                    );
                assert.deepEqual(await ids({}), [going, bad, good]);
                assert.deepEqual(await ids({ outcome: 'failed' }), [bad]);
                assert.deepEqual(await ids({ outcome: 'running' }), [going]);
                assert.deepEqual(await ids({ tenant: 't1' }), [good]);
                assert.deepEqual(await ids({ tenant: 't1', outcome: 'failed' }), []);
                assert.equal((await history.search('a', {}, 2)).length, 2);

                const slots = (await history.slots(['a', 'b'], 2)).get('a') ?? [];
                assert.deepEqual(
                    slots.map(({ id, outcome, error }) => [id, outcome, error]),
                    [
                        [going, 'running', undefined],
                        [bad, 'failed', 'TypeError: it is broken'],
                    ],
                );
                const idOf = ({ id }: { id: string }) => id;
                assert.deepEqual((await history.running()).map(idOf), [going]);
                const [waiting, ...others] = await history.waitingRuns(10);
                assert.deepEqual([waiting?.id, waiting?.isReady, others], [later, false, []]);
                const from = Date.now() - 60_000;
                const busy = await history.since(from, 3_600_000);
                assert.deepEqual(busy, [{ job: 'a', at: from, count: 3, outcome: 'running' }]);

                const versions = [empty, await history.version(['a'])];
                assert.equal(await history.version(['a']), versions[1]);
                await one.engine.pause(pauseFor('b'));
                assert.deepEqual(
                    (await history.pauses()).map((pause) => pause.job),
                    ['b'],
                );
                versions.push(await history.version(['a']));
                one.end(2);
                await is(going, 'succeeded');
                versions.push(await history.version(['a']));
                assert.equal(new Set(versions).size, 4);
                for (const { pid, host, release, isGone, startedAt } of await history.processes()) {
                    assert.deepEqual([pid, host, isGone], [process.pid, hostname(), false]);
                    assert.match(release ?? '', /^\d+\.\d+\.\d+/);
                    assert.ok(startedAt <= Date.now());
                }
            });

            test('has the last second in which a process scheduled, also when that is gone', async () => {
                const other = await join({ works: false });
                const history = await other.engine.history(HISTORY);
                assert.equal(await history.workedUntil(), undefined);
                await alone.engine.enqueue([], SLOT + 7);
                await until(async () => {
                    await pass(1, alone);
                    return (await history.workedUntil()) === SLOT + 7;
                }, 'the beat');
                await alone.engine.close();
                assert.equal(await history.workedUntil(), SLOT + 7);
            });
        });

        test('closing waits until a run that has just ended is recorded', async () => {
            const other = await join({ works: false });
            await beginJob('digest');
            alone.engine.rest();
            alone.end(0);
            await alone.engine.close();
            const [run] = await (await other.engine.history(HISTORY)).search('digest', {}, 10);
            assert.equal(run?.kind === 'run' && run.outcome, 'succeeded');
        });

        test('closing is harmless when it is done twice, and leaves a run that goes on its outcome', async () => {
            const other = await join({ works: false });
            const schedule = await beginJob('digest');
            await alone.engine.close();
            await alone.engine.close();
            await enqueue(other, schedule, SLOT + 2);
            alone.end(0);
            await ended(alone, 0);
            const history = await other.engine.history(HISTORY);
            const runs = (await history.search('digest', {}, 10)).filter((one) => one.kind === 'run');
            assert.deepEqual(
                runs.map(({ outcome }) => outcome),
                ['succeeded'],
            );
        });
    });
}

function succeeded(...seconds: number[]): string[] {
    return seconds.map((second) => `${second} succeeded`);
}

function failed(error: Error): Result {
    return { kind: 'ended', outcome: 'failed', error: readError(error) };
}

function endedRuns({ events }: Member): Run[] {
    return events.flatMap((event) => (event.type === 'run-ended' ? [event.run] : []));
}

function skips(reason: string, first: number, last: number, count: number): DueSchedule['skipped'][number] {
    return { reason, first: SLOT + first, last: SLOT + last, count, atLeast: false };
}

function runOf(job: string): Run {
    return createRun({ job, args: [], manual: true });
}

function planOf(
    name: string,
    declared: Partial<Record<keyof Settings, unknown>>,
    schedules: Schedule[],
): JobPlan {
    const { settings, complaints } = readSettings(declared);
    assert.deepEqual(complaints, []);
    return newPlan(name, [], { file: undefined, settings, schedules });
}
