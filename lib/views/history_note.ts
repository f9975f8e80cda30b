import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import type { Overview } from './overview.js';

type Known = Pick<Overview, 'isHistoryShared' | 'historyTrouble'>;

/**
 * Prints what keeps the history of runs from being complete, where something does: trouble on standard error, and a note
 * where the config wants it so.
 *
 * @param overview what is known
 */
export function printHistoryNote({ isHistoryShared, historyTrouble }: Known): void {
    if (historyTrouble) console.error(printable(historyTrouble));
    else if (!isHistoryShared)
        console.log(
            paint.dim(
                'The journal is kept in memory: of runs and pauses only the process knows whose they are.\n',
            ),
        );
}

/**
 * The same for programs.
 *
 * @param overview what is known
 * @returns fields for JSON
 */
export function historyAsJson({ isHistoryShared, historyTrouble }: Known): object {
    return { historyShared: isHistoryShared, historyTrouble: historyTrouble ?? null };
}
