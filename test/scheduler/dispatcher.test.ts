import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CONFIG } from '../../lib/config/config.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { Engine, RunQueue } from '../../lib/runs/engine.js';
import type { Run } from '../../lib/runs/run.js';
import { RunsInFlight } from '../../lib/runs/runs_in_flight.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import type { Occurrence } from '../../lib/scheduler/catalog.js';
import { Dispatcher } from '../../lib/scheduler/dispatcher.js';
import { ManualClock } from '../../lib/time/manual_clock.js';

const SLOT = 1_767_225_600;
const slots = Array.from({ length: 450 }, (_, index) => SLOT + index);

/** A dispatcher to a queue, at midnight. */
function dispatcherTo(add: RunQueue['add'], handled: Engine['handled'] = () => {}) {
    const clock = new ManualClock(SLOT * 1000);
    const engine = { isPaused: () => false, handled, queue: { add } } as Partial<Engine> as Engine;
    const emit = () => {};
    const inFlight = new RunsInFlight(
        clock,
        emit,
        () => engine,
        () => 0,
    );
    return {
        clock,
        dispatcher: new Dispatcher({
            inFlight,
            clock,
            engine,
            emit,
            config: DEFAULT_CONFIG,
            environment: 'production',
        }),
    };
}

/** A job with a slot in each second, and some of them. */
function dueOf(job: string, slots: readonly number[]): Occurrence {
    const schedule = createSchedule(job, ['* * * * * *'], 'UTC');
    const { settings } = readSettings({});
    const plan = { name: job, file: undefined, settings, sources: {}, schedules: [schedule], problems: [] };
    return { plan: { ...plan, runnable: true }, schedule, slots, catchesUp: false };
}

/** Dispatches the slots to an engine whose queue takes as many chunks as it is told; tells of them, and of what is settled. */
async function dispatchWith(takes: number) {
    const chunks: Run[][] = [];
    const settled: number[] = [];
    const { dispatcher } = dispatcherTo(
        async (runs) => chunks.push([...runs]) <= takes,
        (_schedule, until) => void settled.push(until),
    );
    const occurrence = { ...dueOf('send-digests', slots), catchesUp: true };
    await dispatcher.dispatch([occurrence], { manual: false });
    return { chunks, settled };
}

test('a large catch-up goes into the queue in chunks, in order, and is settled by the last', async () => {
    const { chunks, settled } = await dispatchWith(10);
    assert.deepEqual(
        chunks.map(({ length }) => length),
        [200, 200, 50],
    );
    assert.deepEqual(
        chunks.flat().map(({ scheduledAt }) => scheduledAt),
        slots,
    );
    assert.deepEqual(settled, [slots.at(-1)]);
});

test('where the queue does not take a chunk, the others are not tried, and all is still owed', async () => {
    const { chunks, settled } = await dispatchWith(1);
    assert.equal(chunks.length, 2);
    assert.deepEqual(settled, []);
});

test('a catch-up that hangs keeps newer slots of its job out of the queue for 30 s, and those of no other', async () => {
    const queued: string[] = [];
    const { clock, dispatcher } = dispatcherTo(([run], catchesUp) => {
        if (catchesUp) return new Promise(() => {});
        queued.push(`${run?.job} ${(run?.scheduledAt ?? 0) - SLOT}`);
        return Promise.resolve(true);
    });
    const dispatch = (job: string, slot: number, catchesUp: boolean) => {
        const occurrence = { ...dueOf(job, [slot]), catchesUp };
        void dispatcher.dispatch([occurrence], { manual: false });
    };
    dispatch('stuck', SLOT - 9, true);
    dispatch('stuck', SLOT, false);
    dispatch('tick', SLOT, false);
    await clock.advance(0);
    await clock.advance(29_900);
    assert.deepEqual(queued, ['tick 0']);
    await clock.advance(200);
    assert.deepEqual(queued, ['tick 0', 'stuck 0']);
    dispatch('stuck', SLOT + 31, false);
    await clock.advance(0);
    assert.deepEqual(queued, ['tick 0', 'stuck 0', 'stuck 31']);
});

test('what waits for older slots is dropped when it is found to be owed with them', async () => {
    const queued: number[] = [];
    const { dispatcher } = dispatcherTo(async (runs) => queued.push(runs.length) > 0);
    let find = () => {};
    let finding: Promise<void> | undefined = new Promise((resolve) => {
        find = resolve;
    });
    const dispatched = dispatcher.dispatch([dueOf('send-digests', [SLOT])], {
        manual: false,
        olderOnes: () => finding,
    });
    dispatcher.handled.clear();
    finding = undefined;
    find();
    await dispatched;
    assert.deepEqual(queued, []);
});
