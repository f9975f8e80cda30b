import { describePause } from '../runs/pause.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import { type PreviewDay, type PreviewEntry, previewDays } from '../schedule/preview.js';
import type { Bot } from '../scheduler/bot.js';
import { count } from '../text/format.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { keepTogether } from '../text/paragraph.js';
import { printable } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { formatUniqueMoment, isoSecond, withoutZeroSeconds } from '../time/moment.js';
import { parseStretchOptions } from '../time/moment_input.js';
import { findJob, type JobOverview, startOf, takeOverview } from './overview.js';
import { describeArgs, describeSpread, type Page, pageOf, printHistoryNote } from './page.js';

/** A year and a day, in seconds. */
const LONGEST = 367 * 86_400;

const INDENT = '  ';

/** A stretch of time, and the IANA zone on whose clock it is shown. */
interface ShownStretch {
    /** Unix seconds. */
    readonly from: number;
    readonly to: number;
    readonly timezone: string;
}

/** Prints what will run in a stretch of time, day by day, and which jobs will not; an Error for too many slots. */
export async function printPreview(
    bot: Bot,
    options: { name?: string; json?: boolean; timezone?: string; from?: string; to?: string },
): Promise<void> {
    const { name } = options;
    if (name === '') throw new Error('--name is empty: leave it out for all jobs.');
    const overview = await takeOverview(bot);
    const { now, timezone, width } = pageOf(overview, options.timezone);
    const limits = parseStretchOptions(options, { now: Math.floor(now / 1000), timezone });
    const stretch = { ...limits, timezone };
    const jobs = name ? [findJob(overview.jobs, name)] : overview.jobs;
    const going = jobs.filter((job) => startOf(job) < stretch.to);
    const idle = jobs.filter((job) => !going.includes(job) || !job.plan?.runnable);
    const held = going.filter((job) => startOf(job) > stretch.from);
    if (stretch.to - stretch.from > LONGEST)
        throw new Error('That is more than a year: choose an earlier --to.');
    const starts = new Map(jobs.map((job) => [job.name, startOf(job)]));
    const schedules = going.flatMap(({ plan }) => plan?.schedules ?? []);
    const days = previewDays(schedules, stretch, timezone, (job) => starts.get(job) ?? stretch.from);
    if (options.json) return printJson(asJson(days, idle, stretch));
    const notes = new Map(jobs.map(({ name, plan }) => [name, plan ? describeSpread(plan) : '']));
    for (const day of days)
        console.log(['', ...(await renderDay(day, { timezone, notes, width }))].join('\n'));
    console.log(`\n${total(days, stretch)}`);
    const namesOf = (some: readonly JobOverview[]) => some.map((job) => nameOf(job, timezone)).join(', ');
    if (held.length > 0) console.log(`In it after a pause: ${namesOf(held)}.`);
    if (idle.length > 0) console.log(`Not in it: ${namesOf(idle)}.`);
    console.log('');
    printHistoryNote(overview);
}

function nameOf({ name, state, pause }: JobOverview, timezone: string): string {
    const paused = pause && `paused${describePause({ ...pause, reason: undefined }, timezone)}`;
    const why = paused ?? (state === 'excluded' ? 'not in this environment' : state);
    return `${printable(name)} (${why})`;
}

function total(days: readonly PreviewDay[], { from, to, timezone }: ShownStretch): string {
    const stretch = `from ${formatUniqueMoment(from, timezone)} to ${formatUniqueMoment(to, timezone)} (${timezone})`;
    const entries = days.flatMap((day) => day.entries);
    if (entries.length === 0) return `Nothing runs ${stretch}.`;
    const slots = entries.reduce((sum, entry) => sum + entry.count, 0);
    const jobs = new Set(entries.map(({ schedule }) => schedule.job));
    return `${count(slots, 'slot')} of ${count(jobs.size, 'background job')} ${stretch}.`;
}

function asJson(days: readonly PreviewDay[], idle: readonly JobOverview[], options: ShownStretch): object {
    const { from, to, timezone } = options;
    const entryAsJson = ({ schedule, first, last, count }: PreviewEntry) => {
        const { job, crontab, timezone = null, args } = schedule;
        return { job, crontab, timezone, args, count, first: isoSecond(first), last: isoSecond(last) };
    };
    return {
        from: isoSecond(from),
        to: isoSecond(to),
        timezone,
        days: days.map(({ date, entries }) => ({ date, entries: entries.map(entryAsJson) })),
        idle: idle.map(({ name, state }) => ({ job: name, state })),
    };
}

/** `notes`: what is said of the runs of jobs, by their names. */
type DayOptions = Pick<Page, 'timezone' | 'width'> & { readonly notes: ReadonlyMap<string, string> };

/** Shows what is due on one day: a line for each slot, and one for all of a frequent schedule. */
export async function renderDay({ date, entries }: PreviewDay, options: DayOptions): Promise<string[]> {
    const rows = await Promise.all(entries.map((entry) => rowOf(entry, options)));
    const width = options.width - INDENT.length;
    const [, ...lines] = renderTable(['TIME', 'JOB', 'COUNT', 'SCHEDULE'], rows, width);
    const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' }).format(
        Date.parse(date),
    );
    return [paint.bold(`${weekday} ${date}`), ...lines.flat().map((line) => INDENT + line)];
}

async function rowOf(entry: PreviewEntry, { timezone, notes }: DayOptions): Promise<string[]> {
    const { schedule, first, last, count } = entry;
    const time = (second: number) => withoutZeroSeconds(formatUniqueMoment(second, timezone).slice(11));
    const args = [describeArgs(schedule.args), notes.get(schedule.job)].filter(Boolean).join(', ');
    const job = paint.bold(printable(schedule.job));
    if (count === 1) return [time(first), job, '', args];
    return [
        keepTogether(`${time(first)} - ${time(last)}`),
        job,
        `${count.toLocaleString('en')} times`,
        [await describeCrontab(schedule.crontab), args].filter(Boolean).join(' '),
    ];
}
