import type { Config } from '../config/config.js';
import type { Engine } from '../runs/engine.js';
import type { Emit } from '../runs/events.js';
import type { RunsInFlight } from '../runs/runs_in_flight.js';
import type { Gap } from '../schedule/missed.js';
import type { Catalog, GapFindings } from './catalog.js';
import type { Dispatcher, Occurrence } from './dispatcher.js';
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
    readonly config: Config;
}

/** What a started bot does at each second: it has run what is due, and what is still owed of what it did not look at. */
export class Watch implements TickListener {
    /** Whether somebody has asked for a recovery that has not begun. */
    #isRecoveryWanted = false;
    #recovery: Promise<void> | undefined;
    /** Up to when it looks for what is owed; unix seconds. */
    #recoversUntil = Number.NEGATIVE_INFINITY;
    /** Looks for what is owed that go on. */
    readonly #findings = new Set<Promise<void>>();

    constructor(private readonly parts: WatchParts) {}

    expects(second: number): boolean {
        return (this.parts.catalog().next ?? Number.POSITIVE_INFINITY) <= second;
    }

    tick(second: number): void {
        const finding = () => (this.#findings.size > 0 ? Promise.allSettled(this.#findings) : undefined);
        void this.#dispatch(this.parts.catalog().due(second), finding);
    }

    gap(gap: Gap): void {
        this.parts.emit({ type: 'clock-gap', ...gap });
        const catalog = this.parts.catalog();
        const passed = catalog.passGap(gap);
        void this.#find(async () => {
            // Other processes may have gone on in the meantime.
            const settled = await this.parts.engine.settledUntil(passed, gap.after);
            // Of what is older, too: alone, its slots would supersede those.
            const isRecovered = this.#recovery && this.#recoversUntil >= gap.now;
            return isRecovered ? { occurrences: [], unrun: [] } : catalog.owed(passed, settled, gap);
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
     * @param reached tells the last second that was looked at; unix seconds
     * @returns a promise that resolves when all of it is known, and on its way
     */
    recover(reached: () => number): Promise<void> {
        this.#isRecoveryWanted = true;
        this.#recovery ??= this.#recoverAll(reached).finally(() => {
            this.#recovery = undefined;
        });
        return this.#recovery;
    }

    async #recoverAll(reached: () => number): Promise<void> {
        const { catalog, dispatcher, engine } = this.parts;
        while (this.#isRecoveryWanted) {
            this.#isRecoveryWanted = false;
            await this.#find(async () => {
                const now = reached();
                this.#recoversUntil = now;
                // What could not be handed over then is owed, like everything since.
                dispatcher.settlements.clear();
                const { schedules } = catalog();
                const settled = await engine.settledUntil(schedules, now);
                return catalog().owed(schedules, settled, { after: Number.NEGATIVE_INFINITY, now });
            });
        }
    }

    /**
     * Takes up what is owed.
     *
     * @param findings what is to be run, and what is not: that is recorded, and told
     * @returns a promise that resolves when all runs have ended, or are in the queue
     */
    async take({ occurrences, unrun }: GapFindings): Promise<void> {
        const { engine, emit } = this.parts;
        const running = new Set(occurrences.map(({ schedule }) => schedule.key));
        void engine.unrun(unrun);
        for (const { schedule, ...slots } of unrun) {
            emit({ type: 'slots-unrun', job: schedule.job, ...slots });
            if (!running.has(schedule.key)) engine.settle(schedule, slots.last);
        }
        await this.#dispatch(occurrences);
    }

    /** What becomes due meanwhile goes into the queue after what is found. */
    #find(look: () => Promise<GapFindings>): Promise<void> {
        const finding = look()
            .then((findings) => void this.take(findings))
            .finally(() => this.#findings.delete(finding));
        this.#findings.add(finding);
        return finding;
    }

    async #dispatch(
        occurrences: readonly Occurrence[],
        finding?: () => Promise<unknown> | undefined,
    ): Promise<void> {
        if (occurrences.length === 0) return;
        const { dispatcher, config } = this.parts;
        await dispatcher.dispatch(occurrences, { manual: false, config, ...(finding && { finding }) });
    }
}
