import { setTimeout as delay } from 'node:timers/promises';
import type { Ping } from '../jobs/heartbeat.js';
import type { JobPlan } from '../jobs/job_plan.js';
import type { BotEvent, Emit } from '../runs/events.js';
import type { Outcome, Run } from '../runs/run.js';
import { readError, traceOf } from '../text/errors.js';

/** As much of the global `fetch` as pings need. */
export type Fetch = (
    address: string,
    options: { method: string; body?: string; signal: AbortSignal },
) => Promise<{ readonly status: number; readonly body: { cancel(): Promise<void> } | null }>;

/** How long pings may take, in milliseconds. */
const LIMITS = {
    /** The ping of a run's end waits for that of its start: the monitor must not get them in the wrong order. */
    start: 2_000,
    end: 5_000,
    /** If the process is about to end: the log names what keeps it alive for longer. */
    last: 800,
    /** The wait before a ping is tried again. */
    again: 500,
};

const MOST_TRIES = 3;

/** How many lines of an error are sent. */
const MOST_LINES = 10;

/** The ping for each outcome. None for an aborted run: if no run succeeds in time, the monitor notices. */
const PINGS: Readonly<Partial<Record<Outcome, Ping>>> = {
    succeeded: 'success',
    skipped: 'success',
    failed: 'fail',
    timed_out: 'fail',
    lost: 'fail',
};

interface Host {
    readonly emit: Emit;
    /** Undefined: the bot was never started, and the process may end with its run. */
    readonly life?: object | undefined;
    planOf(job: string): JobPlan | undefined;
}

interface UnderWay {
    readonly controller: AbortController;
    readonly over: Promise<void>;
}

/** Pings the monitors of jobs when runs start and end. Neither a run nor a stop waits for a ping. */
export class Heartbeats {
    /** The pings of starts, by the ids of their runs. */
    readonly #starts = new Map<string, UnderWay>();
    readonly #underWay = new Map<AbortController, Ping>();
    /** The hosts that do not answer, and the addresses that answer with an error, as reported. */
    readonly #failing = new Set<string>();

    constructor(
        private readonly host: Host,
        private readonly fetch: Fetch,
        private readonly limits = LIMITS,
    ) {}

    hear(event: BotEvent): void {
        switch (event.type) {
            case 'run-started':
                this.#begin(event.run);
                break;
            case 'run-ended':
                this.#end(event.run);
                break;
            case 'run-retrying':
            case 'run-was-lost':
                this.#starts.delete(event.run.id);
                break;
            case 'bot-stopped':
                for (const [controller, ping] of this.#underWay) this.#hurry(ping, controller);
        }
    }

    #begin(run: Run): void {
        const ping = run.attempt === 1 && this.#ping('start', run, this.limits.start);
        if (ping) this.#starts.set(run.id, ping);
    }

    #end(run: Run): void {
        const started = this.#starts.get(run.id);
        this.#starts.delete(run.id);
        const ping = PINGS[run.outcome ?? 'lost'];
        // Of skipped runs, only those that skipWhen() skips have started.
        if (!ping || (run.outcome === 'skipped' && !started)) return;
        const { life } = this.host;
        if (started && !life) this.#hurry('start', started.controller);
        this.#ping(ping, run, life ? this.limits.end : this.limits.last, started?.over);
    }

    /** Shortens the time that is left: half as much for a start, because the end waits for it. */
    #hurry(ping: Ping, controller: AbortController): void {
        abortAfter(ping === 'start' ? this.limits.last / 2 : this.limits.last, controller);
    }

    /** Undefined: the job has no address for it. */
    #ping(ping: Ping, run: Run, limit: number, after?: Promise<void>): UnderWay | undefined {
        const address = this.host.planOf(run.job)?.settings.heartbeat?.address(ping, run.tenant);
        if (address === undefined) return undefined;
        const controller = new AbortController();
        const { signal } = controller;
        const request =
            ping === 'fail' ? { method: 'POST', body: bodyOf(run), signal } : { method: 'GET', signal };
        this.#underWay.set(controller, ping);
        abortAfter(limit, controller);
        const over = (after ?? Promise.resolve())
            .then(() => this.#send(address, request))
            .then((answer) => {
                this.#underWay.delete(controller);
                this.#judge(ping, run.job, address, answer);
            });
        return { controller, over };
    }

    /** Resolves with the status, or with the reason why there is none. */
    async #send(address: string, request: Parameters<Fetch>[1]): Promise<number | string> {
        const { signal } = request;
        let answer: number | string = NO_ANSWER;
        for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries++) {
            if (tries > 0) await delay(this.limits.again, undefined, { ref: false, signal }).catch(() => {});
            try {
                const { status, body } = await this.fetch(address, request);
                body?.cancel().catch(() => {});
                answer = status;
                if (status < 500) return status;
            } catch (error) {
                if (!signal.aborted) answer = reasonOf(error);
            }
        }
        return answer;
    }

    #judge(ping: Ping, job: string, address: string, answer: number | string): void {
        const { host } = new URL(address);
        const isAnswered = typeof answer === 'number';
        if (isAnswered) this.#failing.delete(host);
        if (isAnswered && answer < 300) return void this.#failing.delete(address);
        const what = isAnswered ? address : host;
        if (this.#failing.has(what)) return;
        this.#failing.add(what);
        const reason = isAnswered ? `it answers with ${answer}` : answer;
        this.host.emit({ type: 'heartbeat-failed', job, host, ping, reason });
    }
}

const NO_ANSWER = 'it does not answer in time';

function abortAfter(milliseconds: number, controller: AbortController): void {
    setTimeout(() => controller.abort(), milliseconds).unref();
}

// What fetch throws says little; its cause has the code.
function reasonOf(error: unknown): string {
    const { message, causes: [cause] = [] } = readError(error);
    return cause?.code ?? cause?.message ?? message;
}

function bodyOf({ error, outcome, reason, tenant }: Run): string {
    const text = error ? traceOf(error) : `${outcome}: ${reason}`;
    const lines = text.split('\n').slice(0, MOST_LINES);
    return [...lines, ...(tenant === undefined ? [] : [`tenant: ${tenant}`])].join('\n');
}
