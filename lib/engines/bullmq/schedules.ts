import type { Schedule } from '../../schedule/schedule.js';
import type { Link } from './link.js';

type Known = Pick<Schedule, 'key' | 'job'>;

/** Until which second each schedule is handled, as Redis has it. */
export class RedisSchedules {
    readonly #key: string;

    constructor(private readonly link: Link) {
        this.#key = link.key('schedules');
    }

    /**
     * Unix seconds by schedule key; one that is new is handled until now.
     *
     * @throws RedisAwayError
     */
    async handledUntil(schedules: readonly Known[], now: number): Promise<ReadonlyMap<string, number>> {
        if (schedules.length === 0) return new Map();
        const members = schedules.map(memberOf);
        const seen = members.flatMap((member) => [now, member]);
        const [, scores] = await this.link.all<unknown>((client) => [
            client.zadd(this.#key, 'NX', ...seen),
            client.zmscore(this.#key, ...members),
        ]);
        const known = scores as (string | null)[];
        return new Map(schedules.map(({ key }, index) => [key, Number(known[index] ?? now)]));
    }

    /** The latest second until which any is handled; undefined: there is none. */
    async latestHandled(): Promise<number | undefined> {
        const [, second] = await this.link.use((client) => client.zrevrange(this.#key, 0, 0, 'WITHSCORES'));
        return second === undefined ? undefined : Number(second);
    }

    /** Notes that a schedule is handled until a slot; it never goes back. */
    async handled(schedule: Known, second: number): Promise<void> {
        await this.link.use((client) => client.zadd(this.#key, 'GT', second, memberOf(schedule)));
    }
}

function memberOf({ job, key }: Known): string {
    return `${job} ${key}`;
}
