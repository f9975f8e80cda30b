import type { Clock } from '../time/clock.js';
import type { ActiveRun } from './active_run.js';
import type { ClaimAnswer, Engine } from './engine.js';
import type { SkipReason } from './events.js';

/** How often a run asks again whose lane another process has taken, in milliseconds. */
const ASK_EVERY = 250;

const REFUSALS: Record<Exclude<ClaimAnswer, 'granted'>, SkipReason> = {
    taken: 'claimed elsewhere',
    superseded: 'superseded',
    busy: 'overlap',
    paused: 'paused',
    'journal locked': 'journal locked',
    'no journal': 'no journal',
};

/**
 * Claims a run. Where another process has its lane, it waits for it if its job queues, or replaces, what overlaps: to
 * abort another process's run is in nobody's power. Runs that catch up wait, too.
 *
 * @param active a run that has its lane in this process
 * @param engine where to claim
 * @param clock the time for the wait
 * @param closing once aborted, scheduled runs wait no longer
 * @returns undefined where it may start, else why not
 */
export async function claimRun(
    active: ActiveRun,
    engine: Engine,
    clock: Clock,
    closing: AbortSignal,
): Promise<SkipReason | undefined> {
    const { run, plan, sequence } = active;
    const { overlap } = plan.settings;
    const waits =
        !run.manual && (overlap === 'queue' || overlap === 'replace' || sequence.catchesUp === true);
    for (;;) {
        const answer = await engine.claim(run, overlap !== 'allow');
        if (answer === 'granted') return undefined;
        if (sequence.interrupt?.aborted) return 'interrupted';
        if (answer !== 'busy' || !waits) return REFUSALS[answer];
        await pause(active, clock, closing);
        if (closing.aborted) return 'stopping';
        if (active.abortReason) return 'superseded';
    }
}

function pause(active: ActiveRun, clock: Clock, closing: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
        const end = () => {
            cancel();
            unsubscribe();
            closing.removeEventListener('abort', end);
            resolve();
        };
        const cancel = clock.after(ASK_EVERY, end);
        const unsubscribe = active.onAbort(end);
        closing.addEventListener('abort', end);
    });
}
