import chalk, { Chalk, type ChalkInstance } from 'chalk';
import type { Outcome } from '../runs/run.js';

/** Colours for standard output, where it is a terminal. chalk itself does not know NO_COLOR (https://no-color.org). */
export const paint: ChalkInstance = new Chalk({ level: process.env['NO_COLOR'] ? 0 : chalk.level });

const OUTCOMES: Record<Outcome, ChalkInstance> = {
    succeeded: paint.green,
    failed: paint.red,
    timed_out: paint.red,
    aborted: paint.yellow,
    skipped: paint.yellow,
    lost: paint.red,
};

/**
 * Colours an outcome: green, yellow, or red.
 *
 * @param outcome how a run ended
 * @returns the outcome, coloured
 */
export function paintOutcome(outcome: Outcome): string {
    return OUTCOMES[outcome](outcome);
}
