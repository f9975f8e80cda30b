import { setImmediate as nextTurn } from 'node:timers/promises';
import TinyQueue from 'tinyqueue';
import { show } from '../text/format.js';
import type { Clock } from './clock.js';

interface Timer {
    readonly at: number;
    readonly order: number;
    wake: (() => void) | undefined;
}

/** How many turns of the event loop the work that a timer has started gets. */
const TURNS = 3;

/**
 * A clock that stands still until it is moved. Like a real machine it has two times: timers follow the time that passes,
 * `now()` a wall clock that can be set, and that goes on while the machine sleeps.
 */
export class ManualClock implements Clock {
    #passed = 0;
    #wall: number;
    #order = 0;
    readonly #timers = new TinyQueue<Timer>([], (a, b) => a.at - b.at || a.order - b.order);

    /**
     * @param now where it stands: a Date, an ISO 8601 text, or unix milliseconds
     * @param settle waits until the work that a timer has started is done; undefined: it already is
     */
    constructor(
        now: Date | string | number,
        private readonly settle: () => Promise<void> | undefined = aFewTurns,
    ) {
        this.#wall = new Date(now).getTime();
        if (Number.isNaN(this.#wall))
            throw new TypeError(
                `${show(now)} is not a time: pass a Date, an ISO 8601 text or unix milliseconds`,
            );
    }

    now(): number {
        return this.#wall;
    }

    after(delay: number, wake: () => void): () => void {
        const timer: Timer = { at: this.#passed + Math.max(0, delay), order: this.#order++, wake };
        this.#timers.push(timer);
        return () => {
            timer.wake = undefined;
        };
    }

    punctuallyAfter(delay: number, wake: () => void): () => void {
        return this.after(delay, wake);
    }

    /** Lets time pass: every timer fires at its time, and the work it starts is done before the next one fires. */
    async advance(milliseconds: number): Promise<void> {
        const end = this.#passed + milliseconds;
        for (let timer = this.#due(end); timer; timer = this.#due(end)) {
            this.#pass(timer.at - this.#passed);
            timer.wake?.();
            // A year of quiet seconds has 30 million timers, which must not wait for a promise in vain.
            const settling = this.settle();
            if (settling) await settling;
        }
        this.#pass(end - this.#passed);
        await this.settle();
    }

    /** Lets time pass while the event loop is blocked: timers that are due meanwhile fire afterwards. */
    async stall(milliseconds: number): Promise<void> {
        this.#pass(milliseconds);
        await this.advance(0);
    }

    /** Sets the wall clock forward, or back if negative, as when a machine wakes up. No timer fires because of it. */
    step(milliseconds: number): void {
        this.#wall += milliseconds;
    }

    #pass(milliseconds: number): void {
        if (milliseconds <= 0) return;
        this.#passed += milliseconds;
        this.#wall += milliseconds;
    }

    #due(end: number): Timer | undefined {
        for (let timer = this.#timers.peek(); timer && timer.at <= end; timer = this.#timers.peek()) {
            this.#timers.pop();
            if (timer.wake) return timer;
        }
        return undefined;
    }
}

async function aFewTurns(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
}
