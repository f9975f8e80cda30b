import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { DEFAULT_JOURNAL } from '../../lib/config/journal_settings.js';
import { ALL_JOBS, type ClaimAnswer, type Engine, type EngineHost } from '../../lib/runs/engine.js';
import { readError } from '../../lib/runs/errors.js';
import type { BotEvent } from '../../lib/runs/events.js';
import { createRun, type Outcome, type Run } from '../../lib/runs/run.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { ManualClock } from '../../lib/time/manual_clock.js';

/** 2026-01-01 00:00:00 UTC */
export const SLOT = 1_767_225_600;

/** What a test needs from an engine's store: engines that share it, as processes do. */
export interface Store {
    /** Another engine on the same store. */
    createEngine(): Engine;
    /** Waits until what a clock's timer has set off in an engine has come to rest; default: a few turns of the event loop. */
    settle?(): Promise<void>;
    /** What is left is removed. */
    destroy(): void | Promise<void>;
}

/** One process: its clock stands still when it is stopped, or dead. */
interface Member {
    readonly engine: Engine;
    readonly clock: ManualClock;
    readonly events: BotEvent[];
    readonly takenOver: Run[];
    /** What is run again of what is lost. */
    retries: boolean;
    claim(run: Run, isExclusive?: boolean): Promise<ClaimAnswer>;
    /** Whatever a claim is answered, `granted` or not. */
    gets(run: Run): Promise<boolean>;
}

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

        const join = async (): Promise<Member> => {
            const engine = store.createEngine();
            const clock = new ManualClock(SLOT * 1000, store.settle);
            const events: BotEvent[] = [];
            const takenOver: Run[] = [];
            const member: Member = {
                engine,
                clock,
                events,
                takenOver,
                retries: false,
                claim: async (run, isExclusive = true) => engine.claim(run, isExclusive),
                gets: async (run) => (await engine.claim(run, true)) === 'granted',
            };
            const host: EngineHost = {
                clock,
                emit: (event) => events.push(event),
                environment: 'production',
                journal: DEFAULT_JOURNAL,
                retryOf: (lost) => (member.retries ? createRun({ ...lost }) : undefined),
                takeOver: (run) => void takenOver.push(run),
                planOf: () => undefined,
                longestMissedWithin: () => 3_600_000,
                recovered: () => {},
            };
            await engine.open(host);
            engine.watch();
            members.push(member);
            return member;
        };

        beforeEach(async () => {
            store = await createStore();
            members = [];
            alone = await join();
        });

        afterEach(async () => {
            for (const { engine } of members) await engine.close();
            await store.destroy();
        });

        test('describes itself in a few words for the log', () => {
            assert.match(alone.engine.description, new RegExp(`^${name}\\b.{0,200}$`));
        });

        describe('a claim', () => {
            test('is given once to a lane and slot', async () => {
                assert.equal(await alone.claim(runOf({})), 'granted');
                assert.equal(await alone.claim(runOf({})), 'taken');
                assert.equal(await alone.claim(runOf({})), 'taken');
            });

            test('is given once among processes, however many ask at the same moment', async () => {
                const others = [alone, await join(), await join(), await join()];
                const answers = await Promise.all(
                    Array.from({ length: 60 }, (_, index) =>
                        others[index % others.length]?.claim(
                            runOf({ scheduledAt: SLOT + (index % 3) }),
                            false,
                        ),
                    ),
                );
                assert.equal(answers.filter((answer) => answer === 'granted').length, 3);
                assert.equal(answers.filter((answer) => answer === 'taken').length, 57);
            });

            test('stays given, however its run ends', async () => {
                const other = await join();
                const outcomes: Outcome[] = ['succeeded', 'failed', 'timed_out', 'aborted', 'lost'];
                for (const [index, outcome] of outcomes.entries()) {
                    const run = runOf({ scheduledAt: SLOT + index });
                    assert.equal(await alone.claim(run), 'granted');
                    await end(alone, run, outcome);
                    assert.equal(await alone.claim(runOf({ scheduledAt: SLOT + index })), 'taken', outcome);
                    assert.equal(await other.claim(runOf({ scheduledAt: SLOT + index })), 'taken', outcome);
                }
            });

            test('says nothing about other slots, jobs, args and tenants', async () => {
                const runs = [
                    runOf({ scheduledAt: SLOT - 1 }),
                    runOf({}),
                    runOf({ scheduledAt: SLOT + 1 }),
                    runOf({ job: 'other' }),
                    runOf({ args: ['weekly'] }),
                    runOf({ args: [{ deep: true }] }),
                    runOf({ tenant: 'acme' }),
                    runOf({ tenant: 'globex' }),
                    runOf({ tenant: 'acme', args: ['weekly'] }),
                ];
                for (const run of runs) assert.equal(await alone.gets(run), true);
                for (const run of runs) assert.equal(await alone.gets({ ...run, id: 'another' }), false);
            });

            test('takes strange names, args and tenants for what they are', async () => {
                const tenants = ['a:b', 'a b', '', "o'hara; DROP TABLE runs", 'ü😀', '0', 'null'];
                const runs = tenants.map((tenant) =>
                    runOf({ tenant, job: 'reports/daily-digest', args: [tenant] }),
                );
                for (const run of runs) assert.equal(await alone.gets(run), true);
                for (const run of runs) assert.equal(await alone.gets({ ...run, id: 'another' }), false);
            });

            test('is refused where a newer slot of the lane has started, unless runs may overlap', async () => {
                const other = await join();
                assert.equal(await alone.gets(runOf({ scheduledAt: SLOT + 1 })), true);
                assert.equal(await other.claim(runOf({ job: 'other' })), 'granted');
                assert.equal(await alone.claim(runOf({})), 'superseded');
                assert.equal(await alone.claim(runOf({}), false), 'granted');
            });
        });

        describe('a lane', () => {
            test('holds among processes until the run has ended', async () => {
                const other = await join();
                const first = runOf({});
                assert.equal(await alone.claim(first), 'granted');
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 1 })), 'busy');
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 1, tenant: 'acme' })), 'granted');
                await end(alone, first, 'succeeded');
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 1 })), 'granted');
            });

            test('is held by a run that waits for its next attempt', async () => {
                const other = await join();
                const run = runOf({ manual: true });
                await alone.claim(run);
                run.attempt = 1;
                assert.equal(alone.engine.retrying(run, 60_000), false);
                assert.equal(await other.claim(runOf({})), 'busy');
                run.attempt = 2;
                await end(alone, run, 'succeeded');
                assert.equal(await other.claim(runOf({})), 'granted');
            });

            test('does not hold back what may overlap', async () => {
                const other = await join();
                assert.equal(await alone.claim(runOf({}), false), 'granted');
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 1 }), false), 'granted');
            });

            test('holds manual runs back, and is held by them', async () => {
                const other = await join();
                const manual = runOf({ manual: true });
                assert.equal(await alone.claim(manual), 'granted');
                assert.equal(await other.claim(runOf({ manual: true })), 'busy');
                assert.equal(await other.claim(runOf({})), 'busy');
                await end(alone, manual, 'failed');
                assert.equal(await other.claim(runOf({})), 'granted');
                assert.equal(await alone.claim(runOf({ manual: true })), 'busy');
            });

            test('keeps a slot skipped that one process has skipped because of it', async () => {
                const other = await join();
                const first = runOf({});
                const second = runOf({ scheduledAt: SLOT + 1 });
                await alone.claim(first);
                alone.engine.skipped({ ...second, outcome: 'skipped', reason: 'overlap' });
                await end(alone, first, 'succeeded');
                assert.equal(await other.claim(second), 'taken');
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 2 })), 'granted');
            });
        });

        describe('a manual run', () => {
            test('needs no claim, and takes no slot away from the clock', async () => {
                for (const parts of [{}, {}, { scheduledAt: undefined }]) {
                    const run = runOf({ ...parts, manual: true });
                    assert.equal(await alone.claim(run), 'granted');
                    await end(alone, run, 'succeeded');
                }
                assert.equal(await alone.claim(runOf({})), 'granted');
            });
        });

        describe('missed slots', () => {
            const schedule = createSchedule('send-digests', ['* * * * *'], 'UTC');

            test('are not owed by a schedule that was never seen before', async () => {
                const settled = await alone.engine.settledUntil([schedule], SLOT);
                assert.equal(settled.get(schedule.key), SLOT);
            });

            test('are owed from where the schedule was settled last, by whichever process', async () => {
                await alone.engine.settledUntil([schedule], SLOT);
                alone.engine.settle(schedule, SLOT + 60);
                await alone.engine.close();
                const next = await join();
                const settled = await next.engine.settledUntil([schedule], SLOT + 7200);
                assert.equal(settled.get(schedule.key), SLOT + 60);
                assert.equal(await next.engine.latestSettled(), SLOT + 60);
            });

            test('are settled forward only', async () => {
                alone.engine.settle(schedule, SLOT + 60);
                alone.engine.settle(schedule, SLOT);
                const settled = await alone.engine.settledUntil([schedule], SLOT + 120);
                assert.equal(settled.get(schedule.key), SLOT + 60);
            });
        });

        describe('a pause', () => {
            test('refuses the job in every process at once, and is known to all within a second', async () => {
                const other = await join();
                await alone.engine.pause('send-digests');
                assert.equal(await other.claim(runOf({})), 'paused');
                assert.equal(await other.claim(runOf({ job: 'other' })), 'granted');
                await other.clock.advance(1_000);
                assert.equal(other.engine.isPaused('send-digests'), true);
                assert.equal(other.engine.isPaused('other'), false);
                await alone.engine.resume('send-digests');
                assert.equal(await other.claim(runOf({})), 'granted');
                await other.clock.advance(1_000);
                assert.equal(other.engine.isPaused('send-digests'), false);
            });

            test('outlives the process', async () => {
                await alone.engine.pause('send-digests');
                await alone.engine.close();
                const next = await join();
                assert.deepEqual(await next.engine.pausedJobs(), ['send-digests']);
                assert.equal(next.engine.isPaused('send-digests'), true);
            });

            test('of all jobs holds for those that nobody has heard of yet', async () => {
                await alone.engine.pause('other');
                await alone.engine.pause(ALL_JOBS);
                assert.equal(alone.engine.isPaused('send-digests'), true);
                assert.equal(await alone.claim(runOf({})), 'paused');
                await alone.engine.resume(ALL_JOBS);
                assert.deepEqual(await alone.engine.pausedJobs(), []);
                assert.equal(await alone.claim(runOf({})), 'granted');
            });

            test('does not concern manual runs', async () => {
                await alone.engine.pause('send-digests');
                assert.equal(await alone.claim(runOf({ manual: true })), 'granted');
            });

            test('leaves nothing to catch up on', async () => {
                const paused = createSchedule('send-digests', ['* * * * *'], 'UTC');
                const other = createSchedule('other', ['* * * * *'], 'UTC');
                await alone.engine.settledUntil([paused, other], SLOT);
                await alone.engine.pause('send-digests');
                await alone.clock.advance(3_600_000);
                await alone.engine.resume('send-digests');
                const settled = await alone.engine.settledUntil([paused, other], SLOT + 3600);
                assert.equal(settled.get(paused.key), SLOT + 3600);
                assert.equal(settled.get(other.key), SLOT);
            });
        });

        describe('a process that dies', () => {
            test('loses its runs, and their lanes are free again', async () => {
                const other = await join();
                const run = runOf({});
                await alone.claim(run);
                await other.clock.advance(8_000);
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 8 })), 'busy');
                await other.clock.advance(4_000);
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 12 })), 'granted');
                const [lost] = endedRuns(other);
                assert.equal(lost?.id, run.id);
                assert.equal(lost?.outcome, 'lost');
                assert.equal(await other.claim(runOf({})), 'taken');
            });

            test('is replaced by one other where its run is to be run again', async () => {
                const others = [await join(), await join()];
                for (const other of others) other.retries = true;
                await alone.claim(runOf({ tenant: 'acme' }));
                for (let second = 0; second < 12; second++)
                    for (const other of others) await other.clock.advance(1_000);
                const takenOver = others.flatMap((other) => other.takenOver);
                assert.equal(takenOver.length, 1);
                assert.equal(takenOver[0]?.tenant, 'acme');
                assert.equal(takenOver[0]?.attempt, 1);
                const bystander = others.find((other) => other.takenOver.length === 0) as Member;
                assert.equal(
                    await bystander.claim(runOf({ tenant: 'acme', scheduledAt: SLOT + 12 })),
                    'busy',
                );
            });

            test('is left to others by one that rests', async () => {
                const [resting, other] = [await join(), await join()];
                resting.retries = true;
                other.retries = true;
                await alone.claim(runOf({}));
                resting.engine.rest();
                await resting.clock.advance(30_000);
                assert.deepEqual(resting.takenOver, []);
                await other.clock.advance(12_000);
                assert.equal(other.takenOver.length, 1);
            });

            test('is not taken for dead while it shows life, nor by one that slept itself', async () => {
                const other = await join();
                await alone.claim(runOf({}));
                for (let second = 0; second < 30; second++) {
                    await alone.clock.advance(1_000);
                    await other.clock.advance(1_000);
                }
                other.clock.step(3_600_000);
                await other.clock.advance(8_000);
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 9 })), 'busy');
                assert.deepEqual(endedRuns(other), []);
            });

            test('stays lost when it was only stopped, and its run ends after all', async () => {
                const other = await join();
                const run = runOf({});
                await alone.claim(run);
                await other.clock.advance(12_000);
                await end(alone, run, 'succeeded');
                assert.deepEqual(alone.events.filter(({ type }) => type === 'run-was-lost').length, 1);
                await alone.clock.advance(12_000);
                assert.equal(await alone.claim(runOf({ scheduledAt: SLOT + 12 })), 'granted');
            });
        });

        describe('a clock that was set back', () => {
            test('voids the claims of later slots, in every lane, and no others', async () => {
                const lanes = [{}, { job: 'other' }, { tenant: 'acme' }];
                const slots = [SLOT - 1, SLOT, SLOT + 1, SLOT + 7200];
                for (const lane of lanes)
                    for (const scheduledAt of slots) await alone.gets(runOf({ ...lane, scheduledAt }));
                await alone.engine.voidClaimsAfter(SLOT);
                for (const lane of lanes) {
                    const answers: boolean[] = [];
                    for (const scheduledAt of slots)
                        answers.push(await alone.gets(runOf({ ...lane, scheduledAt })));
                    assert.deepEqual(answers, [false, false, true, true]);
                }
            });

            test('voids them once, although every process finds it', async () => {
                const other = await join();
                await alone.claim(runOf({ scheduledAt: SLOT + 7200 }));
                await alone.engine.voidClaimsAfter(SLOT);
                assert.equal(await alone.claim(runOf({ scheduledAt: SLOT + 1 })), 'granted');
                await other.engine.voidClaimsAfter(SLOT);
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 1 })), 'taken');
            });
        });

        describe('the history', () => {
            const open = (member: Member) =>
                member.engine.history({ environment: 'production', journal: DEFAULT_JOURNAL });

            test('has what runs, and how it ended, in every process', async () => {
                const other = await join();
                const run = runOf({ args: [{ deep: [] }], tenant: 7, schedule: '0 0 * * *' });
                await alone.claim(run);
                const history = await open(other);
                const [running] =
                    (await history.statusOf(['send-digests', 'other'])).get('send-digests')?.running ?? [];
                assert.equal(running?.id, run.id);
                assert.equal(running.outcome, 'running');
                run.attempt = 1;
                await end(alone, run, 'failed');
                const status = await history.statusOf(['send-digests', 'other']);
                assert.deepEqual([...status.keys()], ['send-digests']);
                const [ended] = status.get('send-digests')?.ended ?? [];
                const {
                    kind,
                    args,
                    tenant,
                    schedule,
                    scheduledAt,
                    outcome,
                    error,
                    attempt,
                    lateBy,
                    endedAt,
                } = ended ?? {};
                assert.deepEqual(
                    { kind, args, tenant, schedule, scheduledAt, outcome, error, attempt, lateBy, endedAt },
                    {
                        kind: 'run',
                        args: [{ deep: [] }],
                        tenant: 7,
                        schedule: '0 0 * * *',
                        scheduledAt: SLOT,
                        outcome: 'failed',
                        error: 'Error: no',
                        attempt: 1,
                        lateBy: 0,
                        endedAt: SLOT * 1000 + 5,
                    },
                );
                assert.deepEqual(status.get('send-digests')?.running, []);
            });

            test('lists runs and skipped slots, the newest first; successive ones of a reason together', async () => {
                for (const [index, minute] of [0, 60, 120].entries()) {
                    const run = runOf({ scheduledAt: SLOT + minute, schedule: '* * * * *' });
                    if (index === 0) {
                        await alone.claim(run);
                        await end(alone, run, 'succeeded');
                    } else alone.engine.skipped({ ...run, outcome: 'skipped', reason: 'overlap' });
                }
                const past = await (await open(alone)).of('send-digests', 10);
                assert.deepEqual(
                    past.map((one) =>
                        one.kind === 'run' ? one.outcome : [one.reason, one.first, one.last, one.count],
                    ),
                    [['overlap', SLOT + 60, SLOT + 120, 2], 'succeeded'],
                );
                assert.equal((await (await open(alone)).of('send-digests', 1)).length, 1);
                assert.deepEqual(await (await open(alone)).of('other', 10), []);
            });

            test('has the other tenants of the last slot, and the paused jobs', async () => {
                for (const tenant of ['acme', 'globex']) {
                    const run = runOf({ tenant });
                    await alone.claim(run);
                    await end(alone, run, 'succeeded');
                }
                await alone.engine.pause('other');
                const history = await open(alone);
                const ended = (await history.statusOf(['send-digests'])).get('send-digests')?.ended ?? [];
                assert.deepEqual(ended.map(({ tenant }) => tenant).sort(), ['acme', 'globex']);
                assert.deepEqual(await history.pausedJobs(), ['other']);
            });
        });

        describe('closing', () => {
            test('leaves a run that is still going its claim and its lane, and takes its outcome', async () => {
                const other = await join();
                const run = runOf({});
                await alone.claim(run);
                await alone.engine.close();
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 1 })), 'busy');
                await end(alone, run, 'succeeded');
                assert.equal(await other.claim(runOf({ scheduledAt: SLOT + 1 })), 'granted');
            });

            test('is harmless when it is done twice', async () => {
                await alone.engine.close();
                await alone.engine.close();
            });
        });

        test('takes the outcome of a run that it never saw', async () => {
            await end(alone, runOf({ manual: true }), 'failed');
        });
    });
}

function endedRuns({ events }: Member): Run[] {
    return events.flatMap((event) => (event.type === 'run-ended' ? [event.run] : []));
}

async function end({ engine, clock }: Member, run: Run, outcome: Outcome): Promise<void> {
    Object.assign(run, { outcome, startedAt: clock.now(), endedAt: clock.now() + 5 });
    if (outcome === 'failed') run.error = readError(new Error('no'));
    await engine.finished(run);
}

/** A run of the job `send-digests`, at a slot. */
export function runOf(parts: Partial<Parameters<typeof createRun>[0]>): Run {
    return createRun({
        job: 'send-digests',
        file: undefined,
        args: [],
        tenant: undefined,
        scheduledAt: SLOT,
        manual: false,
        ...parts,
    });
}
