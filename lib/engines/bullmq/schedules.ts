import type { Schedule } from '../../schedule/schedule.js';
import type { Link } from './link.js';

type Known = Pick<Schedule, 'key' | 'job'>;

/** Up to which slot each schedule is settled, as Redis has it. */
export class Settled {
    constructor(private readonly link: Link) {}

    /**
     * Tells up to where schedules are settled. One that was never seen before owes nothing.
     *
     * @param schedules which
     * @param now unix second
     * @returns unix seconds by schedule key
     * @throws RedisAwayError
     */
    async until(schedules: readonly Known[], now: number): Promise<ReadonlyMap<string, number>> {
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

    /** The latest second up to which any is settled; undefined: there is none. */
    async latest(): Promise<number | undefined> {
        const [, second] = await this.link.use((client) => client.zrevrange(this.#key, 0, 0, 'WITHSCORES'));
        return second === undefined ? undefined : Number(second);
    }

    /** Settles a schedule up to a slot; it never goes back. */
    async settle(schedule: Known, second: number): Promise<void> {
        await this.link.use((client) => client.zadd(this.#key, 'GT', second, memberOf(schedule)));
    }

    get #key(): string {
        return this.link.key('schedules');
    }
}

function memberOf({ job, key }: Known): string {
    return `${job} ${key}`;
}
