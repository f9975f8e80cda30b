import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Engine } from '../../lib/engines/engine.js';
import { MOST_CATCH_UPS } from '../../lib/missed.js';
import { createRun, type Outcome, type Run } from '../../lib/run.js';

const SLOT = 1_767_225_600;

/**
 * The promises that every engine keeps.
 *
 * @param name the engine's
 * @param createEngine makes an engine that remembers nothing yet; it is called before each test
 */
export function testEngine(name: string, createEngine: () => Engine | Promise<Engine>): void {
    describe(`the engine "${name}"`, () => {
        let engine: Engine;

        beforeEach(async () => {
            engine = await createEngine();
        });

        test('describes itself in a few words for the log', () => {
            assert.match(engine.description, new RegExp(`^${name}\\b.{0,80}$`));
        });

        describe('a claim', () => {
            test('is given once to a lane and slot', async () => {
                assert.equal(await engine.claim(runOf({})), true);
                assert.equal(await engine.claim(runOf({})), false);
                assert.equal(await engine.claim(runOf({})), false);
            });

            test('is given to one of many that ask at the same moment', async () => {
                const answers = await Promise.all(
                    Array.from({ length: 50 }, async () => engine.claim(runOf({}))),
                );
                assert.equal(answers.filter(Boolean).length, 1);
            });

            test('stays given, however its run ends', async () => {
                const outcomes: Outcome[] = ['succeeded', 'failed', 'timed_out', 'aborted', 'lost'];
                for (const [index, outcome] of outcomes.entries()) {
                    const run = runOf({ scheduledAt: SLOT + index });
                    assert.equal(await engine.claim(run), true);
                    Object.assign(run, {
                        outcome,
                        startedAt: SLOT * 1000,
                        endedAt: SLOT * 1000 + 5,
                        error: new Error('no'),
                    });
                    await engine.finished(run);
                    assert.equal(await engine.claim(runOf({ scheduledAt: SLOT + index })), false, outcome);
                }
            });

            test('says nothing about other slots, jobs, args and tenants', async () => {
                const runs = [
                    runOf({}),
                    runOf({ scheduledAt: SLOT + 1 }),
                    runOf({ scheduledAt: SLOT - 1 }),
                    runOf({ job: 'other' }),
                    runOf({ args: ['weekly'] }),
                    runOf({ args: [{ deep: true }] }),
                    runOf({ tenant: 'acme' }),
                    runOf({ tenant: 'globex' }),
                    runOf({ tenant: 'acme', args: ['weekly'] }),
                ];
                for (const run of runs) assert.equal(await engine.claim(run), true);
                for (const run of runs) assert.equal(await engine.claim({ ...run, id: 'another' }), false);
            });

            test('takes strange names, args and tenants for what they are', async () => {
                const tenants = ['a:b', 'a b', '', "o'hara; DROP TABLE runs", 'ü😀', '0', 'null'];
                for (const tenant of tenants) {
                    assert.equal(
                        await engine.claim(runOf({ tenant, job: 'reports/daily-digest', args: [tenant] })),
                        true,
                    );
                }
                for (const tenant of tenants) {
                    assert.equal(
                        await engine.claim(runOf({ tenant, job: 'reports/daily-digest', args: [tenant] })),
                        false,
                    );
                }
            });

            test('may come in any order of slots', async () => {
                for (const slot of [SLOT, SLOT - 3600, SLOT + 3600, SLOT - 1800]) {
                    assert.equal(await engine.claim(runOf({ scheduledAt: slot })), true);
                }
                for (const slot of [SLOT + 3600, SLOT, SLOT - 1800, SLOT - 3600]) {
                    assert.equal(await engine.claim(runOf({ scheduledAt: slot })), false);
                }
            });

            test('is remembered for as many slots of a lane as may be caught up at once', async () => {
                const slots = Array.from({ length: MOST_CATCH_UPS }, (_, index) => SLOT + index);
                for (const slot of slots)
                    assert.equal(await engine.claim(runOf({ scheduledAt: slot })), true);
                for (const slot of slots)
                    assert.equal(await engine.claim(runOf({ scheduledAt: slot })), false);
            });
        });

        describe('a manual run', () => {
            test('needs no claim', async () => {
                await engine.claim(runOf({}));
                assert.equal(await engine.claim(runOf({ manual: true })), true);
                assert.equal(await engine.claim(runOf({ manual: true })), true);
                assert.equal(await engine.claim(runOf({ manual: true, scheduledAt: undefined })), true);
            });

            test('takes no slot away from the clock', async () => {
                const run = runOf({ manual: true });
                assert.equal(await engine.claim(run), true);
                await engine.finished({ ...run, outcome: 'succeeded' });
                assert.equal(await engine.claim(runOf({})), true);
            });
        });

        describe('a clock that was set back', () => {
            test('voids the claims of later slots, in every lane, and no others', async () => {
                const lanes = [{}, { job: 'other' }, { tenant: 'acme' }];
                const slots = [SLOT - 1, SLOT, SLOT + 1, SLOT + 7200];
                for (const lane of lanes) {
                    for (const scheduledAt of slots) await engine.claim(runOf({ ...lane, scheduledAt }));
                }
                await engine.voidClaimsAfter(SLOT);
                for (const lane of lanes) {
                    const answers: boolean[] = [];
                    for (const scheduledAt of slots)
                        answers.push(await engine.claim(runOf({ ...lane, scheduledAt })));
                    assert.deepEqual(answers, [false, false, true, true]);
                }
            });

            test('is harmless where nothing was claimed, and the voided slots are claimed once again', async () => {
                await engine.voidClaimsAfter(SLOT);
                await engine.claim(runOf({ scheduledAt: SLOT + 1 }));
                await engine.voidClaimsAfter(SLOT);
                assert.equal(await engine.claim(runOf({ scheduledAt: SLOT + 1 })), true);
                assert.equal(await engine.claim(runOf({ scheduledAt: SLOT + 1 })), false);
            });
        });

        test('takes the outcome of a run that it never saw', async () => {
            await engine.finished({ ...runOf({ manual: true }), outcome: 'failed', error: new Error('no') });
        });
    });
}

function runOf(parts: Partial<Parameters<typeof createRun>[0]>): Run {
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
