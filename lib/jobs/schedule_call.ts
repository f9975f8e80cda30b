import { lineInStack } from '../text/import_fault.js';
import type { Problem } from './problem.js';

const stacks = new WeakMap<readonly unknown[], Error>();
let isNoting = false;

/** From now on, remembers where `schedule()` is called from. Only a check needs that: each stack takes time and memory. */
export function noteScheduleCalls(): void {
    isNoting = true;
}

export function noteScheduleCall(declaration: readonly unknown[]): void {
    if (isNoting) stacks.set(declaration, new Error());
}

/**
 * Says what a `schedule()` call declares, and in which line of the job's file it is.
 *
 * @param declaration what the call was given
 * @param file absolute
 */
export function scheduleCall(
    declaration: readonly unknown[],
    file: string | undefined,
): Pick<Problem, 'schedule' | 'line'> {
    const [crontab] = declaration;
    const { stack = '' } = stacks.get(declaration) ?? {};
    return {
        schedule: typeof crontab === 'string' ? crontab.trim().replace(/\s+/g, ' ') : undefined,
        line: lineInStack({ message: '', stack }, file),
    };
}
