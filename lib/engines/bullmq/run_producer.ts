import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { EngineHost, RunQueue } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import { ifAway, type Link } from './link.js';
import type { Packages } from './packages.js';
import { payloadOf } from './payload.js';
import { laneKey } from './run_identity.js';

/** The name of the queue; BullMQ puts the prefix in front. */
export const QUEUE = 'queue';

/** Finished runs stay at least this long, in milliseconds: a forgotten id is a slot that may run twice. */
const LEAST_KEPT = 24 * 3_600_000;

/** Runs without a priority are taken first: a long catch-up keeps no slot waiting that is due now. */
const AFTER_FRESH = 10;

/** How many events BullMQ keeps: nobody but dashboards reads them. */
const KEPT_EVENTS = 1_000;

/** Adds runs to the queue, from where any worker takes them. */
export class RunProducer implements RunQueue {
    #queue: { readonly client: Redis; readonly bullmq: Queue } | undefined;

    /**
     * @param step how often the clock was set back: slots that come again have other ids
     * @param isBehind true after an outage until the missed slots are known: a newer one could supersede them
     */
    constructor(
        private readonly bullmq: Packages['bullmq'],
        private readonly link: Link,
        private readonly host: EngineHost,
        private readonly step: () => number,
        private readonly isBehind: () => boolean,
    ) {}

    /** How long a finished run, and a claim, is kept, in milliseconds: longer than any slot may be missed. */
    get kept(): number {
        return LEAST_KEPT + this.host.longestMissedWithin();
    }

    async add(runs: readonly Run[], catchesUp: boolean): Promise<boolean> {
        if (runs.length === 0) return true;
        if (this.isBehind()) return false;
        const age = Math.ceil(this.kept / 1000);
        const jobs = runs.map((run) => ({
            name: run.job,
            data: payloadOf(run, catchesUp),
            opts: {
                jobId: this.#idOf(run),
                attempts: 1 + (this.host.planOf(run.job)?.settings.retries ?? 0),
                backoff: { type: 'custom' },
                ...(catchesUp && { priority: AFTER_FRESH }),
                removeOnComplete: { age },
                removeOnFail: { age },
            },
        }));
        const add = async () => {
            if (catchesUp) await this.#lineUp(runs);
            await this.#use((queue) => queue.addBulk(jobs));
            return true;
        };
        return add().catch(ifAway(false));
    }

    /** Lets a run come out of the queue now that would have waited longer; else it wakes up by itself. */
    async wake(id: string): Promise<void> {
        const promote = async (client: Redis) => {
            const job = await this.#on(client).getJob(id);
            if (await job?.isDelayed()) await job?.promote().catch(() => {});
        };
        await this.link.use(promote).catch(ifAway(undefined));
    }

    /** Lets go of the queue. */
    async close(): Promise<void> {
        const queue = this.#queue?.bullmq;
        this.#queue = undefined;
        await queue?.close().catch(() => {});
    }

    // Before they are in the queue, so that no newer slot of their lane comes between.
    async #lineUp(runs: readonly Run[]): Promise<void> {
        await this.link.all((client) =>
            runs.flatMap((run) => {
                const line = this.link.key(`line:${laneKey(run)}`);
                return [
                    client.zadd(line, run.scheduledAt ?? 0, this.#idOf(run)),
                    client.pexpire(line, this.kept),
                ];
            }),
        );
    }

    async #use<T>(work: (queue: Queue) => Promise<T>): Promise<T> {
        try {
            return await this.link.use((client) => work(this.#on(client)));
        } catch (error) {
            // BullMQ's first look at a connection may have failed, and is not repeated.
            await this.close();
            throw error;
        }
    }

    #on(client: Redis): Queue {
        if (this.#queue?.client !== client) {
            const bullmq = new this.bullmq.Queue(QUEUE, {
                connection: client,
                prefix: this.link.prefix,
                streams: { events: { maxLen: KEPT_EVENTS } },
            });
            // The link tells of it.
            bullmq.on('error', () => {});
            this.#queue = { client, bullmq };
        }
        return this.#queue.bullmq;
    }

    #idOf(run: Run): string {
        const step = this.step();
        return `${run.scheduledAt}-${laneKey(run)}${step > 0 ? `-${step}` : ''}`;
    }
}
