import { mock } from 'node:test';
import type { Figures } from './figures.js';
import { PEERS } from './peers.js';
import { BUSIEST_SECOND, type MixedSchedule } from './schedule_mix.js';
import { heapInUse, processorTimeOf, processorTimeWithTurns } from './stopwatch.js';

/** When a peer has to be ready, in milliseconds, and the most heap it may take, in bytes. */
const MOST_TIME = 30_000;
const MOST_HEAP = 3e9;

/** As long as croner waits at most before it looks at the time again. */
const QUIET_SECONDS = 31;

/**
 * Measures a scheduler that has timers of its own, on a mock clock, which can be set to the busiest second.
 *
 * @param name one of the peers
 * @param mix the schedules
 * @returns its figures, or how far it came within half a minute and 3 GB
 */
export async function measurePeer(name: string, mix: readonly MixedSchedule[]): Promise<Figures> {
    const start = PEERS[name];
    if (start === undefined) throw new RangeError(`no peer is called ${name}`);
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: (BUSIEST_SECOND - 119) * 1000 });
    let runs = 0;
    const kept: unknown[] = [];
    const heapBefore = heapInUse();
    let broke: string | undefined;
    const registering = processorTimeOf(() => {
        broke = startAll(mix, (schedule) => kept.push(start(schedule, () => runs++)));
    });
    const figures = {
        register: (registering * 1000) / kept.length,
        heap: (heapInUse() - heapBefore) / kept.length,
    };
    if (broke !== undefined) return { ...figures, broke };

    const quiet = await processorTimeWithTurns(() => pass(QUIET_SECONDS));
    await pass(118 - QUIET_SECONDS);
    runs = 0;
    const busy = await processorTimeWithTurns(() => mock.timers.tick(1000));
    return { ...figures, quiet: quiet / QUIET_SECONDS, busy, due: runs };
}

function startAll(
    mix: readonly MixedSchedule[],
    start: (schedule: MixedSchedule) => void,
): string | undefined {
    const begin = performance.now();
    for (const [index, schedule] of mix.entries()) {
        start(schedule);
        if (index % 100 !== 0) continue;
        const seconds = Math.round((performance.now() - begin) / 1000);
        if (seconds * 1000 >= MOST_TIME) return `${index.toLocaleString('en')} registered in ${seconds} s`;
        if (process.memoryUsage().heapUsed > MOST_HEAP)
            return `3 GB of heap at ${index.toLocaleString('en')}`;
    }
    return undefined;
}

async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
        mock.timers.tick(1000);
        await Promise.resolve();
    }
}
