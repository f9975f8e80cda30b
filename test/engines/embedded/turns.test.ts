import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_JOURNAL } from '../../../lib/config/config.js';
import { EmbeddedEngine } from '../../../lib/engines/embedded/engine.js';
import { createSchedule } from '../../../lib/schedule/schedule.js';
import { systemClock } from '../../../lib/time/clock.js';
import { planOf } from '../../support/job_overviews.js';

const SLOT = 1_767_225_600;

for (const concurrency of [1, 3])
    test(`of a busy second ${concurrency} go at a time, however soon each ends, while others are recorded`, async () => {
        const schedules = Array.from({ length: 250 }, (_, arg) =>
            createSchedule('digest', ['* * * * * *', arg], 'UTC'),
        );
        const plan = planOf('digest');
        for (const turns of [0, 1, 2, 4, 6]) {
            const engine = new EmbeddedEngine();
            let [active, most, left] = [0, 0, schedules.length];
            let announce = () => {};
            const over = new Promise<void>((resolve) => {
                announce = resolve;
            });
            await engine.open({
                clock: systemClock,
                environment: 'production',
                journal: { ...DEFAULT_JOURNAL, filename: false },
                config: { concurrency, turn: 30_000 },
                outputKept: 0,
                planOf: () => plan,
                failingAfter: () => Infinity,
                recovered() {},
                emit: ({ type }) => {
                    if (type === 'run-ended' && --left === 0) announce();
                },
                async perform() {
                    most = Math.max(most, ++active);
                    for (let turn = 0; turn < turns; turn++) await null;
                    active -= 1;
                    return { kind: 'ended', outcome: 'succeeded' };
                },
            });
            engine.work();
            await engine.handledUntil(schedules, SLOT);
            const due = schedules.map((schedule, position) => ({
                ...{ schedule, plan, position, from: SLOT, until: SLOT + 1, run: [SLOT + 1] },
                ...{ catchesUp: false, skipped: [], decidesAnew: false },
            }));
            await engine.enqueue(due, SLOT + 1);
            await over;
            await engine.close();
            assert.ok(
                most <= concurrency,
                `${most} go, where each takes ${turns} turns of the microtask queue`,
            );
        }
    });
