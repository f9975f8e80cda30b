import { BadScheduleError, createSchedule, type Schedule } from '../schedule/schedule.js';
import { messageOf, readError, toError } from '../text/errors.js';
import { lineInStack } from '../text/import_fault.js';
import { BackgroundJob } from './background_job.js';
import { brokenFiles } from './job_file.js';
import type { Fault, Problem } from './problem.js';
import { scheduleCall } from './schedule_call.js';
import { misspeltSetting, readSettings, SETTING_NAMES, type Settings } from './settings.js';

/** A job's schedules and settings, read from its class and checked. */
export interface JobPlan {
    /** The job's name, dasherized. */
    readonly name: string;
    /** The file that defined it last, if any. */
    readonly file: string | undefined;
    readonly settings: Settings;
    /** Where a setting was declared: in the definition, or on the class by `meta()`; what is not there has its default. */
    readonly sources: Partial<Record<keyof Settings, 'definition' | 'meta()'>>;
    /** Those in force: none if the job cannot run. */
    readonly schedules: readonly Schedule[];
    readonly problems: readonly Problem[];
    readonly runnable: boolean;
}

/**
 * Reads a registered job. Whatever is wrong with it becomes a problem; nothing is thrown.
 *
 * @param name in any spelling
 * @param timezone IANA time zone for schedules without one of their own; undefined: the process's
 */
export function planJob(name: string, timezone: string | undefined): JobPlan {
    const Job = BackgroundJob.for(name);
    const file = Job.filePaths.at(-1);
    const { declared, sources, thrown } = declaredSettings(Job);
    const { settings, complaints } = readSettings(declared);
    const error = (fault: Fault): Problem => ({ job: Job.name, file, severity: 'error', ...fault });
    const fatal = [...thrown, ...complaints].map((reason) => error({ kind: 'bad-setting', reason }));
    if ('metaError' in Job) {
        const reason = `its meta() threw: ${messageOf(Job.metaError)}`;
        fatal.push(error({ kind: 'meta-threw', reason, line: lineInStack(readError(Job.metaError), file) }));
    } else if (!hasRun(Job)) {
        const cure = 'add `run(){ ... }`';
        fatal.push(error({ kind: 'no-run', reason: `it has no run(): ${cure}`, cure }));
    }

    const schedules: Schedule[] = [];
    const bad: Problem[] = [];
    for (const declaration of Job.schedules) {
        try {
            schedules.push(
                createSchedule(Job.name, declaration, settings.timezone ?? timezone, settings.except),
            );
        } catch (thrown) {
            const cause = toError(thrown);
            const kind = cause instanceof BadScheduleError ? cause.fault : 'bad-args';
            const reason = `bad schedule ${messageOf(cause)}`;
            bad.push(error({ kind, reason, ...scheduleCall(declaration, file) }));
        }
    }
    const warnings = misspellings(Job).map((fault) => ({ ...error(fault), severity: 'warning' }) as const);

    return {
        name: Job.name,
        file,
        settings,
        sources,
        schedules: fatal.length === 0 ? schedules : [],
        problems: [...fatal, ...bad, ...warnings],
        runnable: fatal.length === 0,
    };
}

/** The problems of job files that made no job. */
export function brokenFileProblems(): Problem[] {
    return [...brokenFiles.values()];
}

type JobClass = ReturnType<typeof BackgroundJob.for>;

interface Declaration {
    readonly declared: Partial<Record<keyof Settings, unknown>>;
    readonly sources: JobPlan['sources'];
    /** A sentence about each setting whose getter threw. */
    readonly thrown: string[];
}

// A setting is assigned on the class, or is part of the definition, which `include` copies to the prototype.
function declaredSettings(Job: JobClass): Declaration {
    const declaration: Declaration = { declared: {}, sources: {}, thrown: [] };
    for (const name of SETTING_NAMES) {
        try {
            const assigned = (Job as Partial<Declaration['declared']>)[name];
            const value = assigned ?? Job.prototype[name];
            if (value === undefined || value === null) continue;
            declaration.declared[name] = value;
            declaration.sources[name] = assigned === value ? 'meta()' : 'definition';
        } catch (error) {
            declaration.thrown.push(`its setting \`${name}\` threw: ${messageOf(error)}`);
        }
    }
    return declaration;
}

function hasRun(Job: JobClass): boolean {
    const { run } = Object.getOwnPropertyDescriptors(Job.prototype);
    return run !== undefined && (run.get !== undefined || typeof run.value === 'function');
}

function misspellings(Job: JobClass): Fault[] {
    const properties = [...Object.getOwnPropertyNames(Job), ...Object.getOwnPropertyNames(Job.prototype)];
    return properties
        .filter((property) => !SETTING_NAMES.some((name) => name === property))
        .flatMap((property) => {
            const setting = misspeltSetting(property);
            if (setting === undefined) return [];
            const reason = `its property \`${property}\` is not a setting: did you mean \`${setting}\`?`;
            return [{ kind: 'misspelt-setting', reason }];
        });
}
