import type { Role } from '../../config/config.js';
import type { EngineHost } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import type { Owner } from '../owner.js';
import { ifAway, Link } from './link.js';
import { RedisLiveness } from './liveness.js';
import { Outbox } from './outbox.js';
import { RunProducer } from './run_producer.js';
import { RunWorker, type RunWorkerOptions } from './run_worker.js';
import { RedisRuns } from './runs.js';
import { RedisSchedules } from './schedules.js';

/** What a process takes part with. */
export interface ClusterOptions extends Omit<RunWorkerOptions, 'link' | 'runs' | 'wake'> {
    /** What all keys begin with. */
    readonly prefix: string;
    readonly role: Role;
    readonly owner: Owner;
    readonly host: EngineHost;
    /** Whether a run of this process is going. */
    isBusy(): boolean;
    /** Told of a run that takes the place of a lost one. */
    adopt(run: Run): void;
}

/** A process's part in the cluster: its connections, and what it does by itself. */
export class Cluster {
    readonly host: EngineHost;
    readonly link: Link;
    readonly runs: RedisRuns;
    readonly schedules: RedisSchedules;
    readonly outbox = new Outbox();
    readonly liveness: RedisLiveness;
    readonly producer: RunProducer;
    #worker: RunWorker | undefined;
    #letGo: (() => void) | undefined;
    #awaySince = 0;
    /** True after an outage until the slots that were missed are about to be looked for. */
    #isBehind = false;

    constructor(private readonly options: ClusterOptions) {
        const { packages, connect, settings, prefix, owner, host } = options;
        const { place } = settings;
        this.host = host;
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
        this.runs = new RedisRuns(this.link, owner, host.journal.retention);
        this.schedules = new RedisSchedules(this.link);
        this.liveness = new RedisLiveness(
            host,
            owner,
            this.link,
            this.runs,
            () => options.isBusy(),
            (run) => options.adopt(run),
            () => this.#forget(),
        );
        this.producer = new RunProducer(
            packages.bullmq,
            this.link,
            host,
            () => this.liveness.step,
            () => this.#isBehind,
        );
    }

    /** Takes part: beats, looks at the others, and works, where that is its role. */
    start(): void {
        this.hold();
        this.liveness.watch();
        if (this.options.role === 'scheduler') return;
        const wake = (id: string) => void this.producer.wake(id);
        this.#worker = new RunWorker({ ...this.options, link: this.link, runs: this.runs, wake });
    }

    /** Takes no more runs, and looks at nobody. */
    stop(): void {
        this.#worker?.stop();
        this.liveness.unwatch();
    }

    /** Keeps its connection, and its beat, while a run is going. */
    hold(): void {
        this.#letGo ??= this.link.hold();
        this.liveness.keepBeating();
    }

    /** Lets go of them, unless it takes part: a command's process is to come to its end. */
    async letGo(): Promise<void> {
        if (this.liveness.isWatching) return;
        this.liveness.end();
        await this.#leave();
        if (this.options.isBusy() || this.liveness.isWatching) return this.hold();
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

    async #recover(): Promise<void> {
        await this.outbox.flush();
        // Gone again: it is done once it is back.
        if (this.link.isAway) return;
        this.#isBehind = false;
        this.host.recovered();
    }

    async #forget(): Promise<void> {
        const { clock, journal } = this.host;
        const jobs = await this.runs.jobs();
        const [now, claims, history] = [clock.now(), this.producer.kept, journal.retention];
        const seconds = [Math.floor(now / 1000), Math.ceil(claims / 1000), Math.ceil(history / 1000)];
        await this.link.script('botForget', ...seconds, ...jobs);
    }

    async #leave(): Promise<void> {
        const { link, options } = this;
        if (link.isAway) return;
        await link
            .use((client) => client.hdel(link.key('state'), `beat ${options.owner.id}`))
            .catch(ifAway(0));
    }
}
