import { findJobName } from '../jobs/job_name.js';
import { type PreviewDay, previewDays, type Stretch, TooManySlotsError } from '../schedule/preview.js';
import type { Schedule } from '../schedule/schedule.js';
import { count } from '../text/count.js';
import { printJson } from '../text/json_output.js';
import { printable } from '../text/printable.js';
import { outputWidth } from '../text/terminal.js';
import { isoSecond } from '../time/iso_time.js';
import { formatMoment, formatUniqueMoment } from '../time/moment.js';
import { printHistoryNote } from './history_note.js';
import { type JobOverview, type Surveyor, takeOverview } from './overview.js';
import { renderDay } from './timeline.js';

/** A year and a day, in seconds. */
const LONGEST = 367 * 86_400;

/** What to preview, and how. */
export interface PreviewOptions extends Stretch {
    /** One job alone, in any spelling; undefined: all. */
    readonly name: string | undefined;
    readonly json: boolean;
    /** IANA name: whose days and times. */
    readonly timezone: string;
}

/**
 * Prints what will run in a stretch of time, day by day, and which jobs will not.
 *
 * @param bot whose jobs
 * @param options which, when, and how
 * @throws Error for an unknown name, and for more slots than anybody wants to see; ConfigError
 */
export async function printPreview(bot: Surveyor, options: PreviewOptions): Promise<void> {
    const overview = await takeOverview(bot);
    const { jobs } = overview;
    const name =
        options.name &&
        findJobName(
            options.name,
            jobs.map((job) => job.name),
        );
    const wanted = name ? jobs.filter((job) => job.name === name) : jobs;
    const going = wanted.filter(({ state }) => state !== 'paused' && state !== 'excluded');
    const schedules = going.flatMap(({ plan }) => plan?.schedules ?? []);
    const idle = wanted.filter((job) => !going.includes(job) || !job.plan?.runnable);
    // All of them first: who asks for too much gets an answer, and not a screenful before it.
    const days = allDays(schedules, options);
    if (options.json) return printJson(previewAsJson(days, idle, options));
    await printTimeline(days, idle, options);
    printHistoryNote(overview);
}

function allDays(schedules: readonly Schedule[], options: PreviewOptions): PreviewDay[] {
    if (options.to - options.from > LONGEST)
        throw new Error('That is more than a year: choose an earlier --to.');
    try {
        return [...previewDays(schedules, options, options.timezone)];
    } catch (error) {
        if (!(error instanceof TooManySlotsError)) throw error;
        throw new Error(
            `There are ${error.message} in that time: choose a shorter one, or one job with --name.`,
        );
    }
}

async function printTimeline(
    days: readonly PreviewDay[],
    idle: readonly JobOverview[],
    { from, to, timezone }: PreviewOptions,
): Promise<void> {
    const stretch = `from ${formatUniqueMoment(from, timezone)} to ${formatUniqueMoment(to, timezone)} (${timezone})`;
    const jobs = new Set<string>();
    let slots = 0;
    for (const day of days) {
        console.log(['', ...(await renderDay(day, { timezone, width: outputWidth() }))].join('\n'));
        for (const { schedule, count } of day.entries) {
            jobs.add(schedule.job);
            slots += count;
        }
    }
    const total = `${count(slots, 'slot')} of ${count(jobs.size, 'background job')} ${stretch}.`;
    console.log(`\n${slots === 0 ? `Nothing runs ${stretch}.` : total}`);
    if (idle.length > 0)
        console.log(
            `Not in it: ${idle.map(({ name, state }) => `${printable(name)} (${IDLE[state] ?? state})`).join(', ')}.`,
        );
    console.log('');
}

/** How the state of a job that does not run is put. */
const IDLE: Partial<Record<JobOverview['state'], string>> = { excluded: 'not in this environment' };

function previewAsJson(
    days: readonly PreviewDay[],
    idle: readonly JobOverview[],
    options: PreviewOptions,
): object {
    return {
        from: isoSecond(options.from),
        to: isoSecond(options.to),
        timezone: options.timezone,
        days: days.map(({ entries }) => ({
            date: formatMoment(entries[0]?.first ?? 0, options.timezone).slice(0, 10),
            entries: entries.map(({ schedule, first, last, count }) => ({
                job: schedule.job,
                crontab: schedule.crontab,
                timezone: schedule.timezone ?? null,
                args: schedule.args,
                count,
                first: isoSecond(first),
                last: isoSecond(last),
            })),
        })),
        idle: idle.map(({ name, state }) => ({ job: name, state })),
    };
}
