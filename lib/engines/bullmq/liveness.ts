import type { EngineHost } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import { Heartbeat } from '../heartbeat.js';
import { Leases } from '../leases.js';
import type { Owner } from '../owner.js';
import { ClockCheck } from './clock_check.js';
import type { Ledger } from './ledger.js';
import { type Link, RedisAwayError } from './link.js';

/** How often what is too old is forgotten: each so many beats. */
const FORGET_EVERY = 3_600;

/** How often the clocks are compared: each so many beats. */
const COMPARE_CLOCKS_EVERY = 60;

/** What all processes know of one another. */
interface State {
    readonly beats: Map<string, number>;
    readonly paused: ReadonlySet<string>;
    /** How often the clock was set back. */
    readonly step: number;
}

/** What the pulse works with. */
export interface PulseParts {
    readonly link: Link;
    readonly ledger: Ledger;
    readonly owner: Owner;
    readonly host: EngineHost;
    /** Whether a run of this process is going: others would take a silent process for dead. */
    isBusy(): boolean;
    /** Told of a run that takes the place of a lost one. */
    adopt(run: Run): void;
    /** Forgets what is too old. */
    forget(): Promise<void>;
}

/**
 * Shows that this process is alive, in two commands a second, and learns from their answer who else is, and what is
 * paused. Sees to what the dead have left behind.
 */
export class Pulse {
    paused: ReadonlySet<string> = new Set();
    step = 0;
    readonly #leases = new Leases();
    readonly #clocks: ClockCheck;
    readonly #heart: Heartbeat;
    #beats = 0;
    #isBeating = false;

    constructor(private readonly parts: PulseParts) {
        this.#clocks = new ClockCheck(parts.link, parts.host);
        this.#heart = new Heartbeat({
            clock: parts.host.clock,
            isBusy: () => parts.isBusy(),
            isSeen: () => true,
            beat: () => void this.beat(),
        });
    }

    /** When it beats, and whether it looks at the others. */
    get heart(): Heartbeat {
        return this.#heart;
    }

    /** Shows life, and takes a look; does not reject. One beat at a time: Redis may take long. */
    async beat(): Promise<void> {
        if (this.#isBeating) return;
        this.#isBeating = true;
        try {
            const state = await this.#look(true);
            await this.#judge(state);
        } catch (error) {
            // The link has told of it.
            if (!(error instanceof RedisAwayError)) throw error;
        } finally {
            this.#isBeating = false;
        }
    }

    /**
     * Learns what is paused, and how often the clock was set back.
     *
     * @throws RedisAwayError
     */
    async refresh(): Promise<void> {
        await this.#look(false);
    }

    async #look(showsLife: boolean): Promise<State> {
        const { link, owner } = this.parts;
        const key = link.key('state');
        const answers = await link.all<unknown>((client) => [
            ...(showsLife ? [client.hincrby(key, `beat ${owner.id}`, 1)] : []),
            client.hgetall(key),
        ]);
        const state = readState(answers.at(-1) as Record<string, string>);
        this.paused = state.paused;
        this.step = state.step;
        return state;
    }

    async #judge({ beats }: State): Promise<void> {
        const { host, owner } = this.parts;
        const others = new Map(beats);
        others.delete(owner.id);
        const dead = this.#leases.look(others, host.clock.now());
        if (!this.#heart.isWatching) return;
        const count = this.#beats++;
        if (count % FORGET_EVERY === 0) await this.parts.forget();
        if (count % COMPARE_CLOCKS_EVERY === 0) await this.#clocks.compare();
        for (const process of dead) await this.#bury(process, others.get(process) ?? 0);
    }

    async #bury(process: string, lastBeat: number): Promise<void> {
        const { ledger, host } = this.parts;
        const at = host.clock.now();
        const unfinished = await ledger.unfinishedOf(process);
        const again = new Map<string, Run>();
        for (const run of unfinished) {
            const next = host.retryOf(run);
            if (next) again.set(run.id, next);
        }
        const lost = await ledger.bury(process, lastBeat, at, again);
        for (const run of unfinished.filter(({ id }) => lost.includes(id))) {
            Object.assign(run, { outcome: 'lost', reason: 'its process died', endedAt: at });
            host.emit({ type: 'run-ended', run });
            const next = again.get(run.id);
            if (next) this.parts.adopt(next);
        }
    }
}

function readState(fields: Readonly<Record<string, string>>): State {
    const beats = new Map<string, number>();
    const paused = new Set<string>();
    for (const [field, value] of Object.entries(fields)) {
        if (field.startsWith('beat ')) beats.set(field.slice(5), Number(value));
        if (field.startsWith('pause ')) paused.add(field.slice(6));
    }
    return { beats, paused, step: Number(fields['step'] ?? 0) };
}
