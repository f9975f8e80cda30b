import { type Fault, faultsOf, type Known } from '../health/faults.js';
import { knownOf, overdueIn } from '../health/health.js';
import type { PastSlot } from '../runs/lookups.js';
import { ALL_JOBS, type Pause, pauseOf } from '../runs/pause.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { runtimeOf } from '../scheduler/bot.js';
import { count } from '../text/format.js';
import { jobsAsJson } from '../views/as_json.js';
import { type JobOverview, overviewsOf, takeOverview } from '../views/overview.js';
import { type Html, html } from './html.js';
import { argsText, badge, jobPath, momentOf, type Page, type PageRequest, runPath, timeTag } from './page.js';
import { HATCH, STRIP, strip } from './strip.js';

/** More of a schedule's args, in characters, is on its job's page. */
const SHORT_ARGS = 24;

const PER_PAGE = 100;
const FAILURES = ['failed', 'timed_out', 'lost'];
const STATES = ['all', 'failing', 'overdue', 'running', 'paused', 'invalid', 'unscheduled', 'excluded'];
const SORTS = ['name', 'next', 'last'];

/** A job, as a row of the overview has it. */
interface JobRow {
    readonly job: JobOverview;
    readonly slots: readonly PastSlot[];
    /** How the last slot that is over ended. */
    readonly last: PastSlot | undefined;
    readonly isRunning: boolean;
    /** Since when it could have started, in unix milliseconds; undefined: it is not late. */
    readonly overdueSince: number | undefined;
    /** Unix milliseconds. */
    readonly next: number;
    readonly pause: Pause | undefined;
}

/** What needs attention, and a row for each job. */
export async function overviewPage(request: PageRequest): Promise<Page> {
    const { query, history, bot } = request;
    const known = await knownOf(history, request.survey);
    const overdue = overdueIn(runtimeOf(bot).config);
    const faults = faultsOf(request.survey, known, { now: request.now, overdue });
    const rows = await rowsOf(request, known, faults);
    const wanted = rows.filter((row) => isWanted(row, query)).sort(orderOf(query['sort']));
    const from = Math.max(0, Number(query['from'] ?? 0) || 0);
    const shown = wanted.slice(from, from + PER_PAGE);
    const strips = await history.slots(
        shown.map(({ job }) => job.name),
        STRIP,
    );
    return {
        title: 'Jobs',
        body: html`<h1>Background jobs</h1>
            ${attention(request, rows, faults)}
            ${filters(request)}
            ${HATCH}
            <div class="jobs" role="list">${await Promise.all(
                shown.map((row) =>
                    renderRow(request, { ...row, slots: strips.get(row.job.name) ?? row.slots }),
                ),
            )}</div>
            ${shown.length === 0 && html`<p class="none">No job matches.</p>`}
            <p class="pages">${count(wanted.length, 'job')}${pageLinks(request, from, wanted.length)}</p>`,
        json: async () => jobsAsJson(await takeOverview(bot), { now: request.now, next: 1 }),
    };
}

async function rowsOf(
    { survey, history, now }: PageRequest,
    { pauses }: Known,
    faults: readonly Fault[],
): Promise<JobRow[]> {
    const names = survey.plans.map(({ name }) => name);
    const slots = await history.slots(names, 2);
    const late = faults.filter(({ kind }) => kind === 'overdue slot' || kind === 'overdue run');
    const jobs = overviewsOf(survey, new Map(), pauses, now);
    return jobs.map((job) => {
        const known = slots.get(job.name) ?? [];
        const last = known.find(({ outcome }) => outcome !== 'running' && outcome !== 'skipped');
        return {
            job,
            slots: known,
            last: last ?? known.find(({ outcome }) => outcome === 'skipped'),
            isRunning: known.some(({ outcome }) => outcome === 'running'),
            overdueSince: late.find((fault) => fault.job === job.name)?.since,
            next: nextOf(job, now),
            pause: pauseOf(pauses, job.name, now),
        };
    });
}

const nextSlots = new WeakMap<Schedule, number>();

function nextOf({ plan, state }: JobOverview, now: number): number {
    if (state === 'excluded' || state === 'paused') return Number.POSITIVE_INFINITY;
    const second = Math.floor(now / 1000);
    const slots = (plan?.schedules ?? []).map((schedule) => {
        const known = nextSlots.get(schedule) ?? 0;
        if (known > second) return known;
        const next = schedule.next(second) ?? Number.POSITIVE_INFINITY;
        nextSlots.set(schedule, next);
        return next;
    });
    return Math.min(...slots) * 1000;
}

function isFailing({ last }: JobRow): boolean {
    return last !== undefined && FAILURES.includes(last.outcome);
}

function isWanted(row: JobRow, { q = '', state = 'all' }: PageRequest['query']): boolean {
    const text = `${row.job.name} ${row.job.plan?.settings.description ?? ''}`.toLowerCase();
    if (!text.includes(q.trim().toLowerCase())) return false;
    if (state === 'failing') return isFailing(row);
    if (state === 'overdue') return row.overdueSince !== undefined;
    if (state === 'running') return row.isRunning;
    return state === row.job.state || !STATES.includes(state) || state === 'all';
}

function orderOf(sort: string | undefined): (a: JobRow, b: JobRow) => number {
    if (sort === 'next') return (a, b) => Math.sign(a.next - b.next) || 0;
    if (sort === 'last') return (a, b) => (b.last?.at ?? 0) - (a.last?.at ?? 0);
    return () => 0;
}

function attention(request: PageRequest, rows: readonly JobRow[], faults: readonly Fault[]): Html {
    const link = ({ job }: JobRow) => html`<a href="${jobPath(request, job.name)}">${job.name}</a>`;
    const items = rows.flatMap((row) => {
        const { job, last, pause, overdueSince } = row;
        const found: Html[] = [];
        if (job.state === 'invalid')
            found.push(
                html`<li>${badge('invalid')} ${link(row)} <span>${job.problems[0]?.reason}</span></li>`,
            );
        if (isFailing(row) && last) {
            const run =
                last.id && html` · <a href="${runPath(request, { job: job.name, id: last.id })}">why</a>`;
            found.push(
                html`<li>${badge(last.outcome)} ${link(row)} ${timeTag(request, last.endedAt ?? last.at)} <span>${last.error ?? last.reason}</span>${run}</li>`,
            );
        }
        if (overdueSince !== undefined)
            found.push(
                html`<li>${badge('overdue')} ${link(row)} since ${timeTag(request, overdueSince)}</li>`,
            );
        if (pause && pause.job !== ALL_JOBS)
            found.push(html`<li>${badge('paused')} ${link(row)} ${pauseText(request, pause)}</li>`);
        return found;
    });
    const all = rows.find(({ pause }) => pause?.job === ALL_JOBS)?.pause;
    if (all) items.unshift(html`<li>${badge('paused')} all jobs ${pauseText(request, all)}</li>`);
    const nobody = faults.find(({ kind }) => kind === 'no process');
    if (nobody) items.unshift(html`<li>${badge('overdue')} ${nobody.message}</li>`);
    if (items.length === 0)
        return html`<section class="well" aria-label="What needs attention"><p>All is well: ${count(rows.length, 'job')}, and none needs attention.</p></section>`;
    return html`<section class="attention" aria-labelledby="needs"><h2 id="needs">Needs attention</h2><ul>${items}</ul></section>`;
}

/** Says since when a job is paused, and what else is known of that. */
export function pauseText(request: PageRequest, { pausedAt, until, reason, by }: Pause): Html {
    return html`since ${timeTag(request, pausedAt)}${until !== undefined && html`, until ${timeTag(request, until)}`}${by && `, by ${by}`}${reason && `: ${reason}`}`;
}

function filters({ base, query }: PageRequest): Html {
    const select = (name: string, label: string, values: readonly string[]) =>
        html`<label>${label} <select name="${name}">${values.map((value) => html`<option${value === query[name] && html` selected`}>${value}</option>`)}</select></label>`;
    return html`<form class="filters" action="${base}" role="search">
        <label>Search <input type="search" name="q" value="${query['q']}" autocomplete="off"></label>
        ${select('state', 'State', STATES)} ${select('sort', 'Sort by', SORTS)} <button>Show</button></form>`;
}

function pageLinks({ base, query }: PageRequest, from: number, total: number): Html {
    const to = (start: number, word: string) => {
        const given = { q: query['q'] ?? '', state: query['state'] ?? 'all', sort: query['sort'] ?? 'name' };
        return html` · <a href="${base}?${String(new URLSearchParams({ ...given, from: String(start) }))}">${word}</a>`;
    };
    return html`${from > 0 && to(Math.max(0, from - PER_PAGE), 'previous')}${from + PER_PAGE < total && to(from + PER_PAGE, 'next')}`;
}

async function renderRow(request: PageRequest, row: JobRow): Promise<Html> {
    const { job, slots, last, next, isRunning } = row;
    const { name, plan } = job;
    const state = isRunning && job.state !== 'invalid' ? 'running' : job.state;
    const schedules = await Promise.all(
        (plan?.schedules ?? []).slice(0, 3).map((schedule) => scheduleText(request, schedule, SHORT_ARGS)),
    );
    const more = (plan?.schedules.length ?? 0) - schedules.length;
    return html`<div class="job" role="listitem" id="job-${name}">
        <div class="name"><h3><a href="${jobPath(request, name)}">${name}</a></h3><p>${plan?.settings.description}</p></div>
        <div class="when">${schedules}${more > 0 && html`<p>and ${more} more</p>`}${schedules.length === 0 && html`<p class="none">no schedule</p>`}</div>
        <div class="next"><span class="label">next</span> ${Number.isFinite(next) ? timeTag(request, next) : '–'}</div>
        <div class="last"><span class="label">last</span> ${last ? html`${outcomeLink(request, name, last)} ${timeTag(request, last.endedAt ?? last.at)}` : '–'}</div>
        ${strip(request, slots)}
        <div class="state">${state !== 'scheduled' && badge(state)}</div>
        ${request.mayAct && buttons(request, job)}
    </div>`;
}

function outcomeLink(request: PageRequest, job: string, { id, outcome }: PastSlot): Html {
    return id ? html`<a href="${runPath(request, { job, id })}">${badge(outcome)}</a>` : badge(outcome);
}

/** A schedule in words, with its crontab, its zone and its args. */
export async function scheduleText(
    request: PageRequest,
    schedule: Schedule,
    longestArgs = Infinity,
): Promise<Html> {
    const { crontab, timezone, args } = schedule;
    const words = await describeCrontab(crontab);
    const given = argsText(args, request);
    const shown = given.length > longestArgs ? `${given.slice(0, longestArgs)}…` : given;
    return html`<p>${words !== crontab && html`${words} `}<code class="crontab">${crontab}</code> ${timezone}${shown && html` <code>${shown}</code>`}</p>`;
}

function buttons(request: PageRequest, { name, pause, plan }: JobOverview): Html {
    if (!plan?.runnable) return html``;
    const verb = pause ? 'Resume' : 'Pause';
    return html`<form class="buttons" method="post" action="${jobPath(request, name)}"><input type="hidden" name="from" value="overview">
        <button name="action" value="run" aria-label="Run ${name} now">Run</button>
        <button name="action" value="${verb.toLowerCase()}" aria-label="${verb} ${name}">${verb}</button></form>`;
}

/** The moment of a slot, in a text. */
export function slotText(request: PageRequest, second: number | undefined): string {
    return second === undefined ? 'none' : momentOf(request, second * 1000);
}
