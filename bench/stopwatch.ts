import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds of the processor, in all threads, that some work takes. Other processes do not count, as they would on a clock. */
export function processorTimeOf(work: () => void): number {
    const before = process.cpuUsage();
    work();
    return millisecondsSince(before);
}

/** The same for work that goes on in the next turns of the event loop. */
export async function processorTimeWithTurns(work: () => unknown): Promise<number> {
    const before = process.cpuUsage();
    await work();
    for (let turns = 0; turns < 3; turns++) await turn();
    return millisecondsSince(before);
}

/** Milliseconds on the clock that some work takes which is too short for the processor's account. */
export function timeOf(work: () => void): number {
    const start = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - start) / 1e6;
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
    return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Bytes of heap that are in use after a thorough collection. */
export function heapInUse(): number {
    if (globalThis.gc === undefined) throw new Error('the benchmarks need node --expose-gc');
    for (let passes = 0; passes < 3; passes++) globalThis.gc();
    return process.memoryUsage().heapUsed;
}

function millisecondsSince(before: NodeJS.CpuUsage): number {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
}
