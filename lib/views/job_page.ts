import type { PastRun, PastSkips, WaitingRun } from '../runs/history.js';
import { paintOutcome } from '../runs/log.js';
import type { Bot } from '../scheduler/bot.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { keepTogether, paragraph } from '../text/paragraph.js';
import { printable } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { formatSpan, formatUniqueMoment } from '../time/moment.js';
import { historyAsJson, type JobPage, jobPageAsJson } from './as_json.js';
import { findJob, type JobOverview, nextSlotsOf, takeOverview } from './overview.js';
import {
    describeArgs,
    describeSchedule,
    describeSpread,
    NEXT_SLOTS,
    type Page,
    pageOf,
    printHistoryNote,
    printWorkNote,
    renderProblems,
} from './page.js';
import { pastFactsOf } from './run_facts.js';
import { type SettingInForce, settingsOf } from './settings_in_force.js';
import { describeLast, describeState } from './standing.js';
import { thrownAt } from './thrown_at.js';

/** As many of the runs that wait are shown to people. */
const MOST_SHOWN = 20;

const INDENT = '  ';

/** Places in the app's folder are shown from there. */
interface JobPageOptions extends Page {
    readonly root: string;
}

/** Prints everything on one job. */
export async function printJob(
    bot: Bot,
    name: string,
    options: { json: boolean; root: string; timezone: string | undefined; runs: number },
): Promise<void> {
    const { json, root, runs } = options;
    const overview = await takeOverview(bot, { name, count: runs });
    const job = findJob(overview.jobs, name);
    const settings = await settingsOf(job.plan, overview);
    const page = { job, settings, past: runs > 0 ? overview.past : undefined, waiting: overview.waiting };
    const shown = { ...pageOf(overview, options.timezone), root };
    if (json) {
        const report = { job: await jobPageAsJson(page, shown.now), ...historyAsJson(overview, shown.now) };
        return printJson(report);
    }
    console.log(['', ...(await renderJobPage(page, shown)), ''].join('\n'));
    printHistoryNote(overview);
    printWorkNote(overview, shown);
}

/** Shows everything on one job: file, state, problems, schedules, settings, and its last runs. */
export async function renderJobPage(page: JobPage, options: JobPageOptions): Promise<string[]> {
    const { job, settings, past, waiting } = page;
    const inner = { ...options, width: options.width - INDENT.length };
    return [
        paint.bold(printable(job.name)),
        ...section('', [
            ...(job.plan?.settings.description?.split(/\r?\n/).map(printable) ?? []),
            ...[
                job.file === undefined ? '' : paint.dim(printable(job.file)),
                describeState(job, options),
                describePauser(job, options),
                describeLast(job.status, options.now),
            ].filter(Boolean),
        ]),
        ...section('Problems', renderProblems(job.problems, options), ''),
        ...section('Schedules', await scheduleLines(job, inner)),
        ...section('Settings', settingLines(settings, inner.width)),
        ...section('Waiting', waitingLines(waiting, inner)),
        ...section('Last runs', past?.length === 0 ? ['none'] : pastLines(past ?? [], inner)),
    ];
}

function describePauser({ pause }: JobOverview, { timezone }: JobPageOptions): string {
    if (!pause) return '';
    const by = pause.by === undefined ? '' : ` by ${printable(pause.by)}`;
    return `paused${by} since ${formatUniqueMoment(pause.pausedAt / 1000, timezone)}`;
}

function section(title: string, lines: readonly string[], indent = INDENT): string[] {
    if (lines.length === 0) return [];
    const heading = title === '' ? [] : ['', paint.bold(title)];
    return [...heading, ...lines.map((line) => (line === '' ? '' : indent + line))];
}

async function scheduleLines(job: JobOverview, options: JobPageOptions): Promise<string[]> {
    const { now, timezone, width } = options;
    const { plan } = job;
    if (!plan?.runnable) return [];
    if (plan.schedules.length === 0) return ['none: it runs only when somebody asks for it'];
    const rows = plan.schedules.map(async (schedule) => {
        const slots = nextSlotsOf(job, schedule, Math.floor(now / 1000), NEXT_SLOTS);
        return [
            await describeSchedule(schedule, describeSpread(plan)),
            slots.map((slot) => formatUniqueMoment(slot, timezone)).join('\n'),
            slots.map((slot) => `in ${formatSpan(slot * 1000 - now)}`).join('\n'),
        ];
    });
    return renderTable(['SCHEDULE', `NEXT (${timezone})`, ''], await Promise.all(rows), width).flat();
}

function settingLines(settings: readonly SettingInForce[], width: number): string[] {
    const rows = settings.map(({ name, text, source }) => {
        const places = {
            definition: "the job's definition",
            'meta()': "the job's meta()",
            config: `bot.${name} in pinstripe.config.js`,
            default: paint.dim('default'),
        };
        return [name, printable(text), places[source]];
    });
    return renderTable(['SETTING', 'VALUE', 'FROM'], rows, width).flat();
}

function waitingLines(waiting: readonly WaitingRun[], { timezone, now, width }: JobPageOptions): string[] {
    if (waiting.length === 0) return [];
    const shown = waiting.slice(0, MOST_SHOWN);
    const rows = shown.map(({ id, runAt, attempt, tenant = '', args, key, requestedBy }) => [
        runAt > now ? formatUniqueMoment(Math.ceil(runAt / 1000), timezone) : 'as soon as possible',
        printable(String(tenant)),
        describeArgs(args),
        [
            requestedBy !== undefined && `by ${printable(requestedBy)}`,
            key !== undefined && `key ${printable(key)}`,
            attempt > 0 && `attempt ${attempt + 1}`,
            id,
        ]
            .filter(Boolean)
            .join(', '),
    ]);
    const more = waiting.length - shown.length;
    return [
        ...renderTable([`START (${timezone})`, 'TENANT', 'ARGS', 'DETAILS'], rows, width).flat(),
        ...(more > 0 ? [`and ${more} more`] : []),
    ];
}

function pastLines(past: readonly (PastRun | PastSkips)[], options: JobPageOptions): string[] {
    const { timezone, width } = options;
    const headings = [`START (${timezone})`, 'OUTCOME', 'TOOK', 'LATE', 'TENANT', 'ARGS', 'DETAILS'];
    const cells = past.map((one) => pastRow(one, options));
    const [heading = [], ...rows] = renderTable(headings, cells, width);
    return [...heading, ...rows.flatMap((row, index) => [...row, ...errorLines(past[index], options)])];
}

function pastRow(past: PastRun | PastSkips, { now, timezone }: JobPageOptions): string[] {
    const moment = (second: number) => formatUniqueMoment(second, timezone);
    const { at, outcome, took, late, details } = pastFactsOf(past, now, moment);
    const start = keepTogether(moment(at / 1000));
    const tenant = printable(String(past.tenant ?? ''));
    return [start, paintOutcome(outcome), took, late, tenant, describeArgs(past.args), printable(details)];
}

/** Below its row, and as wide as the page, stands what a run failed with, and where. */
function errorLines(past: PastRun | PastSkips | undefined, { root, width }: JobPageOptions): string[] {
    if (past?.kind !== 'run' || past.error === undefined) return [];
    const place = past.stack && thrownAt(past.stack, root);
    return [...past.error.split(/\r?\n/), place ? keepTogether(`at ${place}`) : '']
        .filter(Boolean)
        .flatMap((line) => paragraph(printable(line), width, INDENT).split('\n'));
}
