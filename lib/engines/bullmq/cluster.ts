import type { Role } from '../../config/config.js';
import type { RedisSettings } from '../../config/redis_settings.js';
import type { EngineHost } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import type { Owner } from '../owner.js';
import { Ledger } from './ledger.js';
import { Link, RedisAwayError } from './link.js';
import { Outbox } from './outbox.js';
import type { Connect, Packages } from './packages.js';
import { Pulse } from './pulse.js';
import { RunProducer } from './run_producer.js';
import { RunWorker, type RunWorkerParts } from './run_worker.js';
import { Settled } from './settled.js';

/** What a member is made of. */
export interface MembershipParts extends Pick<RunWorkerParts, 'execute' | 'skip'> {
    readonly packages: Packages;
    readonly connect: Connect;
    readonly settings: RedisSettings;
    readonly prefix: string;
    readonly role: Role;
    readonly concurrency: number;
    readonly owner: Owner;
    readonly host: EngineHost;
    /** Whether a run of this process is going. */
    isBusy(): boolean;
    /** Told of a run that takes the place of a lost one. */
    adopt(run: Run): void;
}

/** A process's part in the cluster: its connections, and what it does by itself. */
export class Membership {
    readonly link: Link;
    readonly ledger: Ledger;
    readonly settled: Settled;
    readonly outbox = new Outbox();
    readonly pulse: Pulse;
    readonly producer: RunProducer;
    #worker: RunWorker | undefined;
    #letGo: (() => void) | undefined;
    #awaySince = 0;
    /** Whether slots became due while Redis was away that nobody has begun to catch up on. */
    #isBehind = false;

    constructor(private readonly parts: MembershipParts) {
        const { packages, connect, settings, prefix, owner, host } = parts;
        const { place } = settings;
        this.link = new Link(settings, prefix, connect, {
            away: (detail) => {
                this.#awaySince = host.clock.now();
                this.#isBehind = true;
                host.emit({ type: 'redis-away', place, detail });
            },
            back: () => {
                host.emit({ type: 'redis-back', place, after: host.clock.now() - this.#awaySince });
                void this.#recover();
            },
        });
        this.ledger = new Ledger(this.link, owner, host.journal.retention);
        this.settled = new Settled(this.link);
        this.pulse = new Pulse({
            link: this.link,
            ledger: this.ledger,
            owner,
            host,
            isBusy: () => parts.isBusy(),
            adopt: (run) => parts.adopt(run),
            forget: () => this.#forget(),
        });
        this.producer = new RunProducer({
            packages,
            link: this.link,
            host,
            step: () => this.pulse.step,
            isBehind: () => this.#isBehind,
        });
    }

    get host(): EngineHost {
        return this.parts.host;
    }

    /** Takes part: beats, looks at the others, and works, where that is its role. */
    watch(): void {
        this.hold();
        this.pulse.heart.watch();
        if (this.parts.role !== 'scheduler') this.#worker = this.#createWorker();
    }

    /** Takes no more runs, and looks at nobody. */
    rest(): void {
        this.#worker?.rest();
        this.pulse.heart.rest();
    }

    /** Keeps its connection, and its beat, while a run is going. */
    hold(): void {
        this.#letGo ??= this.link.hold();
        this.pulse.heart.keepBeating();
    }

    /** Lets go of them, unless it takes part: a command's process is to come to its end. */
    async letGo(): Promise<void> {
        if (this.pulse.heart.isWatching) return;
        this.pulse.heart.stop();
        await this.#leave();
        if (this.parts.isBusy() || this.pulse.heart.isWatching) return this.hold();
        this.#letGo?.();
        this.#letGo = undefined;
    }

    /** Waits for its runs, and for what it has to tell. */
    async windUp(): Promise<void> {
        const worker = this.#worker;
        await worker?.close();
        // Started again meanwhile, it has another one.
        if (this.#worker === worker) this.#worker = undefined;
        await this.outbox.sent();
    }

    /** Ends it. */
    async close(): Promise<void> {
        await this.letGo();
        await this.producer.close();
    }

    #createWorker(): RunWorker {
        const { link, ledger, producer } = this;
        return new RunWorker({ ...this.parts, link, ledger, wake: (id) => void producer.wake(id) });
    }

    async #recover(): Promise<void> {
        await this.outbox.flush();
        // Gone again: it is done once it is back.
        if (this.link.isAway) return;
        this.#isBehind = false;
        this.host.recovered();
    }

    async #forget(): Promise<void> {
        const { clock, journal } = this.host;
        const jobs = await this.ledger.jobs();
        const [claims, history] = [this.producer.kept, journal.retention].map((ms) => Math.ceil(ms / 1000));
        const now = Math.floor(clock.now() / 1000);
        await this.link.script('botForget', now, claims as number, history as number, ...jobs);
    }

    async #leave(): Promise<void> {
        const { link, parts } = this;
        if (link.isAway) return;
        try {
            await link.use((client) => client.hdel(link.key('state'), `beat ${parts.owner.id}`));
        } catch (error) {
            if (!(error instanceof RedisAwayError)) throw error;
        }
    }
}
