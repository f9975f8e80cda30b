import { paint } from '../text/paint.js';
import { formatSpan } from '../time/moment.js';
import type { JobOverview } from './overview.js';

/**
 * Says how a job stands.
 *
 * @param job the job
 * @param at unix milliseconds, and the value of `NODE_ENV`
 * @returns phrases: `'paused'`, `'running for 5 s'`; none where it just waits for its next slot
 */
export function describeState(
    { state, isPaused, status }: JobOverview,
    { now, environment }: { now: number; environment: string },
): string[] {
    const words = [
        ...(state === 'invalid' ? [paint.red('invalid')] : []),
        ...(isPaused ? [paint.yellow('paused')] : []),
        ...(state === 'excluded' ? [paint.dim(`not in ${environment}`)] : []),
    ];
    const [running, ...others] = status?.running ?? [];
    if (!running) return words;
    const count = others.length > 0 ? `${others.length + 1} ` : '';
    return [...words, `${count}${paint.cyan('running')} for ${formatSpan(now - running.startedAt)}`];
}
