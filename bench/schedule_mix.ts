/** A schedule as any scheduler takes it. */
export interface MixedSchedule {
    readonly job: string;
    /** Five fields that every contender reads. */
    readonly crontab: string;
    /** IANA name; undefined: the process's. */
    readonly timezone: string | undefined;
    /** Whom it is for: no two schedules are the same. */
    readonly customer: number;
}

const SCHEDULES_PER_JOB = 10;
const SHARE_WITH_ZONE = 0.1;

type Random = (below: number) => number;

/** Of a hundred schedules: how many, and what they look like. People write round minutes. */
const KINDS: readonly (readonly [weight: number, crontab: (random: Random) => string])[] = [
    [7, () => '* * * * *'],
    [8, () => '*/5 * * * *'],
    [3, () => '*/10 * * * *'],
    [3, () => '*/15 * * * *'],
    [2, () => '*/30 * * * *'],
    [4, () => '0 * * * *'],
    [3, () => '0 0 * * *'],
    [12, (random) => `${random(60)} * * * *`],
    [28, (random) => `${5 * random(12)} ${random(24)} * * *`],
    [12, (random) => `${5 * random(12)} ${random(24)} * * 1-5`],
    [10, (random) => `${5 * random(12)} ${random(24)} * * ${random(7)}`],
    [6, (random) => `${5 * random(12)} ${random(24)} ${1 + random(28)} * *`],
    [2, (random) => `*/${5 * (1 + random(6))} 9-17 * * 1-5`],
];

/** The second at which most of the mix is due: midnight, on a Sunday that is the first of its month. */
export const BUSIEST_SECOND = Date.UTC(2026, 1, 1) / 1000;

/**
 * The mix of schedules of a large app: the same every time.
 *
 * @param count how many
 * @returns schedules, ten of them a job
 */
export function scheduleMix(count: number): MixedSchedule[] {
    const random = randomNumbers(20260201);
    const zones = Intl.supportedValuesOf('timeZone');
    return Array.from({ length: count }, (_, index) => {
        const withZone = random(1000) < SHARE_WITH_ZONE * 1000;
        return {
            job: `job-${Math.floor(index / SCHEDULES_PER_JOB)}`,
            crontab: kindAt(random(100))(random),
            timezone: withZone ? zones[random(zones.length)] : undefined,
            customer: index,
        };
    });
}

/** The schedules of a mix by job, in order. */
export function byJob(mix: readonly MixedSchedule[]): Map<string, MixedSchedule[]> {
    const jobs = new Map<string, MixedSchedule[]>();
    for (const schedule of mix) {
        const own = jobs.get(schedule.job);
        if (own) own.push(schedule);
        else jobs.set(schedule.job, [schedule]);
    }
    return jobs;
}

function kindAt(percent: number): (random: Random) => string {
    let below = 0;
    for (const [weight, crontab] of KINDS) {
        below += weight;
        if (percent < below) return crontab;
    }
    throw new RangeError('the weights do not add up to a hundred');
}

// mulberry32: small, and the same on every machine.
function randomNumbers(seed: number): Random {
    let state = seed;
    return (below) => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
    };
}
