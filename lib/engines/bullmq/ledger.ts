import { randomUUID } from 'node:crypto';
import type { ClaimAnswer } from '../../runs/engine.js';
import type { Run } from '../../runs/run.js';
import { previousSlot } from '../../schedule/calendar.js';
import { splitTimezone } from '../../schedule/crontab.js';
import type { SkippedSlots } from '../embedded/skips.js';
import type { Owner } from '../owner.js';
import type { Link } from './link.js';
import { flag, hash, identityOf, laneKey, runOf } from './run_identity.js';

/** A run without an outcome is kept at least this long, in milliseconds: its attempts are counted there. */
const KEEP_UNFINISHED = 7 * 24 * 3_600_000;

/** What a run is claimed with. */
export interface ClaimTerms {
    /** Unix milliseconds. */
    readonly at: number;
    /** Whether its lane must be free. */
    readonly isExclusive: boolean;
    /** Where it comes out of the queue: how its lane is to be waited for, and how often it may be run again. */
    readonly queued?: { readonly catchesUp: boolean; readonly waits: boolean; readonly retries: number };
}

/** A claim, answered. */
export interface Claim {
    readonly answer: Exclude<ClaimAnswer, 'no journal'> | 'held' | 'wait' | 'lost';
    readonly attempt: number;
    /** When the first attempt started, in unix milliseconds. */
    readonly startedAt: number | undefined;
    /** Whether the attempt before died with its process. */
    readonly afterDeath: boolean;
    /** The run that waits for the lane, where it is free now. */
    readonly next: string | undefined;
}

/** The runs and skipped slots, as Redis has them. */
export class Ledger {
    /**
     * @param link the connection
     * @param owner this process
     * @param retention how long runs are remembered, in milliseconds
     */
    constructor(
        private readonly link: Link,
        private readonly owner: Owner,
        private readonly retention: number,
    ) {}

    /**
     * Asks for the right to run a slot, once: who asks again because the answer was lost gives the same nonce.
     *
     * @param run the run
     * @param terms what it is claimed with
     * @param nonce a text of its own
     * @throws RedisAwayError
     */
    async claim(
        run: Run,
        { at, isExclusive, queued }: ClaimTerms,
        nonce: string = randomUUID(),
    ): Promise<Claim> {
        const answered = (await this.link.script(
            'botClaim',
            run.id,
            this.owner.id,
            nonce,
            laneKey(run),
            run.scheduledAt ?? '',
            run.job,
            identityOf(run, this.owner),
            Math.floor(at),
            this.#keepUnfinished,
            flag(run.manual),
            flag(isExclusive),
            flag(queued !== undefined),
            flag(queued?.catchesUp),
            flag(queued?.waits),
            queued?.retries ?? 0,
        )) as [Claim['answer'], number?, string?, string?];
        const [answer, attempt = 0, startedAt, more = ''] = answered;
        return {
            answer,
            attempt,
            startedAt: startedAt === undefined ? undefined : Number(startedAt),
            afterDeath: more === 'died',
            next: answer === 'lost' && more !== '' ? more : undefined,
        };
    }

    /** Notes the attempt that a run is at which is retried in this process. */
    async noteAttempt(run: Run): Promise<void> {
        const key = this.link.key(`run:${run.id}`);
        await this.link.use((client) => client.hset(key, 'attempt', run.attempt + 1));
    }

    /**
     * Gives a run of the queue back to it.
     *
     * @param run the run
     * @param isAttempted whether its attempt has been made, and the next one is to come
     */
    async putBack(run: Run, isAttempted: boolean): Promise<void> {
        await this.link.script('botPutBack', run.id, this.owner.id, laneKey(run), flag(isAttempted));
    }

    /**
     * Notes how a run ended.
     *
     * @param run the run, with its outcome
     * @returns whether that stands - not where the run was given up as lost before -, and the run that waits for its lane
     * @throws RedisAwayError
     */
    async finish(run: Run): Promise<{ stands: boolean; next: string | undefined }> {
        const { error, reason = '', outcome = 'lost', attempt } = run;
        const endedAt = Math.floor(run.endedAt ?? 0);
        const [stands, next] = (await this.link.script(
            'botFinish',
            run.id,
            this.owner.id,
            Math.max(1, attempt),
            laneKey(run),
            run.job,
            identityOf(run, this.owner),
            this.retention,
            outcome,
            reason,
            error ? `${error.name}: ${error.message}` : '',
            error?.stack ?? '',
            Math.floor(run.startedAt ?? endedAt),
            endedAt,
        )) as [number, string?];
        return { stands: stands === 1, next: next === '' ? undefined : next };
    }

    /** Notes that a run did not start, where its claim may have been granted without anybody hearing of it. */
    async disclaim(run: Run): Promise<void> {
        const key = this.link.key(`run:${run.id}`);
        if ((await this.link.use((client) => client.exists(key))) === 1)
            await this.finish({ ...run, attempt: 1 });
    }

    /** The jobs of which anything is remembered. */
    jobs(): Promise<string[]> {
        return this.link.use((client) => client.smembers(this.link.key('jobs')));
    }

    /** The unfinished runs of another process that no queue will bring back, at the attempt they are in. */
    async unfinishedOf(process: string): Promise<Run[]> {
        const jobs = await this.jobs();
        const going = await this.link.all((client) =>
            jobs.map((job) => client.smembers(this.link.key(`going:${job}`))),
        );
        const ids = going.flat();
        const rows = await this.link.all((client) =>
            ids.map((id) =>
                client.hmget(
                    this.link.key(`run:${id}`),
                    'what',
                    'attempt',
                    'started',
                    'queued',
                    'owner',
                    'outcome',
                ),
            ),
        );
        return rows.flatMap(([what, attempt, started, queued, owner, outcome], index) =>
            what && queued !== '1' && owner === process && outcome === null
                ? [runOf(ids[index] as string, what, Number(attempt), Number(started))]
                : [],
        );
    }

    /**
     * Sees to what a dead process has left behind, unless it has come to life again.
     *
     * @param process which
     * @param lastBeat what its beat was
     * @param at unix milliseconds
     * @param again what is to take the place of lost runs, by their ids
     * @returns the ids of the runs that were lost
     */
    async bury(
        process: string,
        lastBeat: number,
        at: number,
        again: ReadonlyMap<string, Run>,
    ): Promise<string[]> {
        const successors = [...again].flatMap(([id, run]) => [id, run.id, identityOf(run, this.owner)]);
        const head = [process, lastBeat, Math.floor(at), this.#keepUnfinished, this.owner.id, again.size];
        const jobs = await this.jobs();
        return (await this.link.script('botBury', ...head, ...successors, ...jobs)) as string[];
    }

    /** Notes slots that did not run. */
    async skip(slots: SkippedSlots, at: number): Promise<void> {
        const { reason, first, last, count, atLeast, schedule } = slots;
        await this.link.script(
            'botSkip',
            slots.job,
            laneKey(slots),
            identityOf(slots, this.owner),
            schedule === undefined ? '' : hash(schedule),
            reason,
            first,
            last,
            count,
            flag(atLeast),
            slotBefore(slots) ?? '',
            this.retention,
            Math.floor(at),
        );
    }

    get #keepUnfinished(): number {
        return Math.max(KEEP_UNFINISHED, this.retention);
    }
}

// Slots share a record only where nothing lies between: a slot there may still wait for its lane.
function slotBefore({ schedule, first }: SkippedSlots): number | undefined {
    if (schedule === undefined) return undefined;
    const { crontab, timezone } = splitTimezone(schedule);
    return previousSlot(crontab, timezone, first);
}
