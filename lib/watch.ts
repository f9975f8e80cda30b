import type { Catalog, GapFindings } from './catalog.js';
import type { BotConfig } from './config.js';
import type { Dispatcher, Occurrence } from './dispatcher.js';
import type { Engine } from './engines/engine.js';
import type { Emit } from './events.js';
import type { Gap } from './missed.js';
import type { RunsInFlight } from './runs_in_flight.js';
import type { ClockStep, TickListener } from './ticker.js';
import { judgeWake } from './wake.js';

/** What the watch works with. */
export interface WatchParts {
    /** Asked for at each second: the catalog, with what was registered since. */
    readonly catalog: () => Catalog;
    readonly dispatcher: Dispatcher;
    readonly inFlight: RunsInFlight;
    readonly engine: Engine;
    readonly emit: Emit;
    readonly config: BotConfig;
}

/** What a started bot does at each second: it has run what is due, and what is still owed of what it did not look at. */
export class Watch implements TickListener {
    /** Up to when is to be recovered what is owed; undefined: nobody has asked since it was begun. */
    #recoverUntil: number | undefined;
    #recovery: Promise<void> | undefined;
    /** What is owed and has yet to be taken up. */
    readonly #catchUps = new Set<Promise<void>>();

    constructor(private readonly parts: WatchParts) {}

    expects(second: number): boolean {
        return (this.parts.catalog().next ?? Number.POSITIVE_INFINITY) <= second;
    }

    tick(second: number): void {
        void this.#dispatch(this.parts.catalog().due(second), () => this.#caughtUp());
    }

    gap(gap: Gap): void {
        this.parts.emit({ type: 'clock-gap', ...gap });
        const catalog = this.parts.catalog();
        const passed = catalog.passGap(gap);
        void this.#first(async () => {
            // Other processes may have gone on in the meantime.
            const settled = await this.parts.engine.settledUntil(passed, gap.after);
            await this.#takeUp(catalog.owed(passed, settled, gap));
        });
    }

    async setBack(step: ClockStep): Promise<void> {
        const { catalog, dispatcher, inFlight, engine, emit } = this.parts;
        emit({ type: 'clock-set-back', ...step });
        if (!step.adopted) return;
        const before = step.to - 1;
        catalog().seek(before);
        inFlight.lanes.forgetAfter(before);
        dispatcher.settlements.clear();
        const due = catalog().due(step.to);
        await engine.voidClaimsAfter(before);
        void this.#dispatch(due);
    }

    /**
     * Finds what is owed when the bot starts: since it, or any other process with the same memory, ran last.
     *
     * @param now unix second
     * @returns what is still to be run, and what is not
     */
    async owedSince(now: number): Promise<GapFindings> {
        const { catalog, engine, emit } = this.parts;
        const latest = await engine.latestSettled();
        if (latest !== undefined && judgeWake(latest, now) === 'set back') {
            emit({ type: 'clock-set-back', from: latest, to: now, adopted: true });
            await engine.voidClaimsAfter(now);
        }
        const { schedules } = catalog();
        const settled = await engine.settledUntil(schedules, now);
        return catalog().owed(schedules, settled, { after: Number.NEGATIVE_INFINITY, now });
    }

    /**
     * Finds and takes up what became due while the engine's store could not be reached; once at a time: who asks meanwhile
     * has it done once more after that.
     *
     * @param now unix second
     * @returns a promise that resolves when all of it has been taken up
     */
    recover(now: number): Promise<void> {
        this.#recoverUntil = now;
        this.#recovery ??= this.#first(() => this.#recoverAll()).finally(() => {
            this.#recovery = undefined;
        });
        return this.#recovery;
    }

    async #recoverAll(): Promise<void> {
        while (this.#recoverUntil !== undefined) {
            const now = this.#recoverUntil;
            this.#recoverUntil = undefined;
            await this.#recoverOnce(now);
        }
    }

    async #recoverOnce(now: number): Promise<void> {
        const { catalog, dispatcher, engine } = this.parts;
        // What could not be handed over then is owed, like everything since.
        dispatcher.settlements.clear();
        const { schedules } = catalog();
        const settled = await engine.settledUntil(schedules, now);
        await this.#takeUp(catalog().owed(schedules, settled, { after: Number.NEGATIVE_INFINITY, now }));
    }

    /**
     * Takes up what is owed.
     *
     * @param findings what is to be run, and what is not: that is recorded, and told
     * @returns a promise that resolves when all runs have ended, or are in the queue
     */
    take(findings: GapFindings): Promise<void> {
        return this.#first(() => this.#takeUp(findings));
    }

    async #takeUp({ occurrences, unrun }: GapFindings): Promise<void> {
        const { engine, emit } = this.parts;
        const running = new Set(occurrences.map(({ schedule }) => schedule.key));
        void engine.unrun(unrun);
        for (const { schedule, ...slots } of unrun) {
            emit({ type: 'slots-unrun', job: schedule.job, ...slots });
            if (!running.has(schedule.key)) engine.settle(schedule, slots.last);
        }
        await this.#dispatch(occurrences);
    }

    /** What becomes due meanwhile goes into the queue after that. */
    #first(catchUp: () => Promise<void>): Promise<void> {
        const going = catchUp().finally(() => this.#catchUps.delete(going));
        this.#catchUps.add(going);
        return going;
    }

    async #caughtUp(): Promise<void> {
        while (this.#catchUps.size > 0) await Promise.allSettled(this.#catchUps);
    }

    async #dispatch(occurrences: readonly Occurrence[], cleared?: () => Promise<void>): Promise<void> {
        if (occurrences.length === 0) return;
        const { dispatcher, config } = this.parts;
        await dispatcher.dispatch(occurrences, { manual: false, config, ...(cleared && { cleared }) });
    }
}
