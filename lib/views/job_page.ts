import type { PastRun, PastSkips } from '../runs/history.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { keepTogether, withPlainSpaces } from '../text/no_break.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { formatSpan, formatUniqueMoment } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { describeLast } from './last_slot.js';
import { type JobOverview, nextSlots } from './overview.js';
import { type PastTableOptions, renderPast } from './past_table.js';
import { renderProblems } from './problems.js';
import type { SettingInForce } from './settings_in_force.js';
import { describeState } from './state.js';

/** How many next slots of a schedule are shown. */
export const NEXT_SLOTS = 5;

/** All that is told of a job. */
export interface JobPage {
    readonly job: JobOverview;
    readonly settings: readonly SettingInForce[];
    /** Its last runs and skipped slots, newest first; undefined: nobody asked for them. */
    readonly past: readonly (PastRun | PastSkips)[] | undefined;
}

/** How to show it. */
export interface JobPageOptions extends PastTableOptions {
    /** The value of `NODE_ENV`, or what stands for it. */
    readonly environment: string;
}

/**
 * Shows everything on one job: file, state, problems, schedules, settings, and its last runs.
 *
 * @param page what there is
 * @param options how
 * @returns a promise of its lines
 */
export async function renderJobPage(page: JobPage, options: JobPageOptions): Promise<string[]> {
    const { job, settings, past } = page;
    const state = describeState(job, options).join(', ');
    const last = describeLast(job.status, options.now);
    return [
        paint.bold(printable(job.name)),
        ...section('', [
            ...(job.plan?.settings.description?.split(/\r?\n/).map(printable) ?? []),
            ...(job.file ? [paint.dim(printable(job.file))] : []),
            ...(state ? [state] : []),
            ...(last.length > 0 ? [withPlainSpaces(last.join(', '))] : []),
        ]),
        ...section('Problems', renderProblems(job.problems, options), ''),
        ...section('Schedules', await scheduleLines(job, options)),
        ...section('Settings', settingLines(settings, options.width)),
        ...section('Last runs', past?.length === 0 ? ['none'] : renderPast(past ?? [], indented(options))),
    ];
}

const INDENT = '  ';

function section(title: string, lines: readonly string[], indent = INDENT): string[] {
    if (lines.length === 0) return [];
    const heading = title === '' ? [] : ['', paint.bold(title)];
    return [...heading, ...lines.map((line) => (line === '' ? '' : indent + line))];
}

function indented<Options extends { readonly width: number }>(options: Options): Options {
    return { ...options, width: options.width - INDENT.length };
}

async function scheduleLines(job: JobOverview, options: JobPageOptions): Promise<string[]> {
    const { plan, state } = job;
    if (!plan?.runnable) return [];
    if (plan.schedules.length === 0) return ['none: it runs only when somebody asks for it'];
    const rows = await Promise.all(plan.schedules.map((schedule) => scheduleRow(schedule, state, options)));
    const next = `NEXT (${options.timezone})`;
    const wide = {
        headings: ['CRONTAB', 'MEANING', 'ZONE', 'ARGS', next, ''],
        rows: rows.map(({ declared, moments, spans }) => [...declared.map((text) => [text]), moments, spans]),
    };
    const narrow = {
        headings: ['SCHEDULE', next, ''],
        rows: rows.map(({ declared, moments, spans }) => [declared.filter(Boolean), moments, spans]),
    };
    return renderTable([wide, narrow], indented(options).width);
}

async function scheduleRow(
    schedule: Schedule,
    state: JobOverview['state'],
    options: JobPageOptions,
): Promise<{ declared: string[]; moments: string[]; spans: string[] }> {
    const { crontab, timezone, args } = schedule;
    const now = Math.floor(options.now / 1000);
    const slots = state === 'excluded' ? [] : nextSlots(schedule, now, NEXT_SLOTS);
    return {
        declared: [
            keepTogether(crontab),
            await describeCrontab(crontab),
            timezone === undefined || timezone === processTimezone() ? '' : timezone,
            args.length > 0 ? printable(JSON.stringify(args)) : '',
        ],
        moments: slots.map((slot) => keepTogether(formatUniqueMoment(slot, options.timezone))),
        spans: slots.map((slot) => keepTogether(`in ${formatSpan(slot * 1000 - options.now)}`)),
    };
}

const SOURCES: Record<SettingInForce['source'], string> = {
    definition: "the job's definition",
    'meta()': "the job's meta()",
    config: 'bot.timezone in pinstripe.config.js',
    default: 'default',
};

function settingLines(settings: readonly SettingInForce[], width: number): string[] {
    const rows = settings.map(({ name, text, source }) => [
        [name],
        [printable(text)],
        [source === 'default' ? paint.dim(SOURCES[source]) : SOURCES[source]],
    ]);
    return renderTable([{ headings: ['SETTING', 'VALUE', 'FROM'], rows }], width - INDENT.length);
}
