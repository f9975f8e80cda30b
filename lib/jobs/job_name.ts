import { didYouMean } from '../text/suggestion.js';
import { BackgroundJob } from './background_job.js';

/** As many jobs as an error message lists. */
const FEW = 5;

/** As much of a name, in characters, as an error message repeats. */
const LONGEST = 100;

/**
 * Finds a job's name, dasherized, in any spelling: `MyTask`, `my-task` and `my_task` name the same job.
 *
 * @throws Error where nobody has that name, with the one that was probably meant, else those that there are
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
