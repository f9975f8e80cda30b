import { BadScheduleError, createSchedule, type Schedule } from '../schedule/schedule.js';
import { messageOf, readError, toError } from '../text/errors.js';
import { lineInStack } from '../text/import_fault.js';
import { BackgroundJob } from './background_job.js';
import { brokenFiles } from './job_file.js';
import type { Problem } from './problem.js';
import { scheduleCall } from './schedule_call.js';
import { misspeltSetting, readSettings, SETTING_NAMES, type Settings } from './settings.js';

/** Where a job's settings stand: in its definition, or on its class, where `meta()` has put them. */
export type SettingSources = Readonly<Partial<Record<keyof Settings, 'definition' | 'meta()'>>>;

/** What a job's class comes to: its schedules and settings, read and checked. */
export interface JobPlan {
    /** The job's name, dasherized. */
    readonly name: string;
    /** The file it was last defined in, where it has one. */
    readonly file: string | undefined;
    readonly settings: Settings;
    /** Where each setting that the job has a say in comes from; what is not there has its default. */
    readonly sources: SettingSources;
    /** The schedules that are in force: none where the job cannot run. */
    readonly schedules: readonly Schedule[];
    readonly problems: readonly Problem[];
    /** Whether the job can run at all. */
    readonly runnable: boolean;
}

/**
 * Reads a registered job. Nothing that is wrong with it throws: it becomes a problem.
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
    const lineOf = (thrown: unknown) =>
        file === undefined ? undefined : lineInStack(readError(thrown), file);

    const fatal = [...thrown, ...complaints].map((reason) => error({ kind: 'bad-setting', reason }));
    if ('metaError' in Job) {
        const reason = `its meta() threw: ${messageOf(Job.metaError)}`;
        fatal.push(error({ kind: 'meta-threw', reason, line: lineOf(Job.metaError) }));
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

type Fault = Omit<Problem, 'job' | 'file' | 'severity'>;

interface Declaration {
    readonly declared: Partial<Record<keyof Settings, unknown>>;
    readonly sources: Partial<Record<keyof Settings, 'definition' | 'meta()'>>;
    /** A sentence on each setting whose getter threw. */
    readonly thrown: string[];
}

// A setting may be assigned on the class or stand on the definition, which `include` copies to the prototype.
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
            const reason = `its property \`${property}\` is no setting: did you mean \`${setting}\`?`;
            return [{ kind: 'misspelt-setting', reason }];
        });
}
