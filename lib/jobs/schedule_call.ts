import { lineInStack } from '../text/import_fault.js';

/** A `schedule()` call, as its author finds it again. */
export interface ScheduleCall {
    /** The crontab as it was declared, with single spaces; undefined where it is no text. */
    readonly schedule: string | undefined;
    /** The line of the job's file; undefined where it was not noted, or the call stands in another file. */
    readonly line: number | undefined;
}

const stacks = new WeakMap<readonly unknown[], Error>();
let isNoting = false;

/** From now on notes where `schedule()` is called from: for a check, as each stack takes time and memory. */
export function noteScheduleCalls(): void {
    isNoting = true;
}

/** Notes where a `schedule()` call comes from, if anybody wants to know. */
export function noteScheduleCall(declaration: readonly unknown[]): void {
    if (isNoting) stacks.set(declaration, new Error());
}

/** Describes a `schedule()` call by what it was given and the absolute path of the job's file. */
export function scheduleCall(declaration: readonly unknown[], file: string | undefined): ScheduleCall {
    const [crontab] = declaration;
    const { stack = '' } = stacks.get(declaration) ?? {};
    return {
        schedule: typeof crontab === 'string' ? crontab.trim().replace(/\s+/g, ' ') : undefined,
        line: file === undefined ? undefined : lineInStack({ message: '', stack }, file),
    };
}
