import { didYouMean } from '../text/suggestion.js';
import { BackgroundJob } from './background_job.js';

/** How many jobs an error message lists. */
const FEW = 5;

/** How many characters of a name an error message repeats. */
const LONGEST = 100;

/**
 * Finds a job's name, dasherized, in any spelling: `MyTask`, `my-task` and `my_task` name the same job.
 *
 * @throws Error if no job has that name; it suggests the one that was probably meant, or lists those that there are
 */
export function findJobName(name: string, known: readonly string[]): string {
    const wanted = BackgroundJob.normalizeName(name);
    if (known.includes(wanted)) return wanted;
    const given = String(name);
    const shown = given.length > LONGEST ? `${given.slice(0, LONGEST)}…` : given;
    throw new Error(`There is no background job "${shown}"${didYouMean(wanted, known) || hintAt(known)}.`);
}

function hintAt(known: readonly string[]): string {
    const names = [...new Set(known)].sort();
    if (names.length === 0) return ': there is none at all yet';
    if (names.length > FEW) return ': see list-background-jobs';
    return names.length === 1 ? `: there is only ${names[0]}` : `: there are ${names.join(', ')}`;
}
