import { setImmediate as turn } from 'node:timers/promises';

/** What a piece of work took. */
export interface Effort {
    /** Milliseconds of the processor, in all threads. */
    readonly cpu: number;
    /** Milliseconds on the clock, which a mock of the time does not hold. */
    readonly time: number;
}

/** Takes the time of some work, and of what it leaves for the next turns of the loop. */
export async function effortOf(work: () => unknown): Promise<Effort> {
    const cpu = process.cpuUsage();
    const start = process.hrtime.bigint();
    await work();
    for (let turns = 0; turns < 3; turns++) await turn();
    const time = Number(process.hrtime.bigint() - start) / 1e6;
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1000, time };
}

/** Milliseconds that a piece of synchronous work takes. */
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
