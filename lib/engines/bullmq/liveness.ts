import type { EngineHost } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import { FORGET_EVERY, Liveness, type LostRun } from '../liveness.js';
import type { Owner } from '../owner.js';
import { ifAway, type Link } from './link.js';
import type { RedisRuns } from './runs.js';

/** How often the clocks are compared: each so many beats. */
const COMPARE_CLOCKS_EVERY = 60;

/** How much a machine's clock may differ from that of Redis, in milliseconds. */
const TOLERANCE = 3_000;

/**
 * Who is alive, as Redis has it: a process shows its life in two commands a second, and learns from their answer who else
 * does, and what is paused.
 */
export class RedisLiveness extends Liveness {
    paused: ReadonlySet<string> = new Set();
    /** How often the clock was set back. */
    step = 0;
    #isBeating = false;
    #isClockToldOff = false;

    /** @param forget forgets what is too old */
    constructor(
        host: EngineHost,
        owner: Owner,
        private readonly link: Link,
        private readonly runs: RedisRuns,
        isBusy: () => boolean,
        adopt: (run: Run) => void,
        private readonly forget: () => Promise<void>,
    ) {
        super(host, owner, isBusy, adopt);
    }

    /** Does not reject. One beat at a time: Redis may take long. */
    async beat(): Promise<void> {
        if (this.#isBeating) return;
        this.#isBeating = true;
        await this.#look(true)
            .then((beats) => this.judge(beats))
            .catch(ifAway(undefined))
            .finally(() => {
                this.#isBeating = false;
            });
    }

    /**
     * Learns what is paused, and how often the clock was set back.
     *
     * @throws RedisAwayError
     */
    async refresh(): Promise<void> {
        await this.#look(false);
    }

    protected async tidy(beats: number): Promise<void> {
        if (beats % FORGET_EVERY === 0) await this.forget();
        if (beats % COMPARE_CLOCKS_EVERY === 0) await this.#compareClocks();
    }

    protected async giveUp(process: string, lastBeat: number, at: number): Promise<readonly LostRun[]> {
        const unfinished = await this.runs.unfinishedOf(process);
        const found = unfinished.map((run) => ({ run, next: this.host.retryOf(run) }));
        const lost = await this.runs.giveUp(process, lastBeat, at, found);
        return found.filter(({ run }) => lost.includes(run.id));
    }

    async #look(showsLife: boolean): Promise<ReadonlyMap<string, number>> {
        const key = this.link.key('state');
        const answers = await this.link.all<unknown>((client) => [
            ...(showsLife ? [client.hincrby(key, `beat ${this.owner.id}`, 1)] : []),
            client.hgetall(key),
        ]);
        const state = answers.at(-1) as Record<string, string>;
        const fields = Object.keys(state);
        const beats = fieldsOf(fields, 'beat ').map((id) => [id, Number(state[`beat ${id}`])] as const);
        this.paused = new Set(fieldsOf(fields, 'pause '));
        this.step = Number(state['step'] ?? 0);
        return new Map(beats);
    }

    // Told once: this machine's clock differs from that of Redis, which is one for all machines.
    async #compareClocks(): Promise<void> {
        const { clock, emit } = this.host;
        const before = clock.now();
        const [seconds, microseconds] = await this.link.use((client) => client.time());
        const after = clock.now();
        const theirs = Number(seconds) * 1000 + Number(microseconds) / 1000;
        // It was read somewhere between.
        const difference = theirs < before ? before - theirs : Math.min(0, after - theirs);
        const differs = Math.abs(difference) > TOLERANCE;
        if (differs && !this.#isClockToldOff) emit({ type: 'clock-differs', by: Math.round(difference) });
        this.#isClockToldOff = differs;
    }
}

/** The rests of the names that begin with a word. */
export function fieldsOf(fields: readonly string[], word: 'beat ' | 'pause '): string[] {
    return fields.flatMap((field) => (field.startsWith(word) ? [field.slice(word.length)] : []));
}
