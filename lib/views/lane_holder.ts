import type { History } from '../runs/history.js';
import { laneOf, type Run } from '../runs/run.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment } from '../time/moment.js';

/** Among as many of a job's newest runs the holder of a lane is looked for. */
const NEWEST = 100;

/**
 * Says which run keeps another from running, where it is one of another process.
 *
 * @param run a run that was skipped because its lane is busy
 * @param history what is remembered
 * @param now the time in unix milliseconds
 * @returns a sentence, with what to do where the process is gone; undefined where nothing is known
 */
export async function describeHolder(run: Run, history: History, now: number): Promise<string | undefined> {
    const past = await history.of(run.job, NEWEST);
    const holder = past.find(
        (found) => found.kind === 'run' && found.endedAt === undefined && laneOf(found) === laneOf(run),
    );
    if (holder?.kind !== 'run') return undefined;
    const { startedAt, pid, host, outcome } = holder;
    const since = `since ${formatUniqueMoment(startedAt / 1000)} (${formatDuration(now - startedAt)})`;
    return outcome === 'running'
        ? `That run has been going on ${since}, in process ${pid} of ${host}.`
        : `That run has been unfinished ${since}, and its process ${pid} is gone: a started bot gives it up within some 10 s.`;
}
