import { overdueAfter } from '../config/config.js';
import { type Fault, faultsOf } from '../health/faults.js';
import { knownOf } from '../health/health.js';
import type { PastSlot } from '../runs/history.js';
import { ALL_JOBS, type Pause } from '../runs/pause.js';
import { isFailure } from '../runs/run.js';
import { runtimeOf } from '../scheduler/bot.js';
import { count } from '../text/format.js';
import { jobsAsJson } from '../views/as_json.js';
import { type JobOverview, nextSlotOf, overviewsOf, startOf, takeOverview } from '../views/overview.js';
import { HATCH, STRIP, strip } from './charts.js';
import { type Html, html } from './html.js';
import {
    badge,
    firstRow,
    jobPath,
    type Page,
    type PageRequest,
    pageLinks,
    pauseText,
    runPath,
    scheduleText,
    select,
    timeTag,
} from './page.js';

/** More of a schedule's args, in characters, is on its job's page. */
const SHORT_ARGS = 24;

const PER_PAGE = 100;
const STATES = ['all', 'failing', 'overdue', 'running', 'paused', 'invalid', 'unscheduled', 'excluded'];
const SORTS = ['name', 'next', 'last'];

/** What needs attention, and a row for each job. */
export async function overviewPage(request: PageRequest): Promise<Page> {
    const { query, history, bot, survey, now, base } = request;
    const known = await knownOf(history, survey);
    const overdue = overdueAfter(runtimeOf(bot).config.health);
    const faults = faultsOf(survey, known, { now, overdue });
    const rows = await rowsOf(request, known.pauses, faults);
    const wanted = rows.filter((row) => isWanted(row, query)).sort(orderOf(query['sort']));
    const from = firstRow(request);
    const shown = wanted.slice(from, from + PER_PAGE);
    const strips = await history.slots(
        shown.map(({ job }) => job.name),
        STRIP,
    );
    const list = shown.map((row) => renderRow(request, row, strips.get(row.job.name) ?? []));
    return {
        title: 'Jobs',
        body: html`<h1>Background jobs</h1>
            ${attention(request, rows, faults)}
            <form class="filters" action="${base}" role="search">
                <label>Search <input type="search" name="q" value="${query['q']}" autocomplete="off"></label>
                ${select(request, 'state', 'State', STATES)} ${select(request, 'sort', 'Sort by', SORTS)} <button>Show</button></form>
            ${HATCH}
            <div class="jobs" role="list">${await Promise.all(list)}</div>
            ${shown.length === 0 && html`<p class="none">No job matches.</p>`}
            <p>${count(wanted.length, 'job')}${pageLinks(request, base, { size: PER_PAGE, total: wanted.length })}</p>`,
        json: async () => jobsAsJson(await takeOverview(bot), { now, next: 1 }),
    };
}

async function rowsOf(
    { survey, history, now }: PageRequest,
    pauses: readonly Pause[],
    faults: readonly Fault[],
) {
    const second = Math.floor(now / 1000);
    const jobs = overviewsOf(survey, new Map(), pauses, now);
    const names = jobs.map(({ name }) => name);
    const recent = await history.slots(names, 2);
    const isSettled = ({ outcome }: PastSlot) => outcome !== 'running' && outcome !== 'skipped';
    // Of few jobs one has to look further back for a run that is over; of those that are paused none needs to.
    const paused = new Set(jobs.flatMap((job) => (startOf(job) > second ? job.name : [])));
    const unsettled = names.filter(
        (name) => recent.get(name)?.some(isSettled) === false && !paused.has(name),
    );
    const further = await history.slots(unsettled, STRIP);
    const running = new Set((await history.running()).map(({ job }) => job));
    return jobs.map((job) => {
        const slots = further.get(job.name) ?? recent.get(job.name) ?? [];
        const last = slots.find(isSettled) ?? slots.find(({ outcome }) => outcome === 'skipped');
        const late = faults.find(({ kind, job: name }) => name === job.name && kind.startsWith('overdue'));
        return {
            job,
            last,
            isFailing: isFailure(last?.outcome),
            isRunning: running.has(job.name),
            /** Since when it could have started, in unix milliseconds; undefined: it is not late. */
            overdueSince: late?.since,
            /** Unix milliseconds. */
            next: nextSlotOf(job, second) * 1000,
        };
    });
}

type JobRow = Awaited<ReturnType<typeof rowsOf>>[number];

function isWanted(row: JobRow, { q = '', state = 'all' }: PageRequest['query']): boolean {
    const text = `${row.job.name} ${row.job.plan?.settings.description ?? ''}`.toLowerCase();
    if (!text.includes(q.trim().toLowerCase())) return false;
    if (state === 'failing') return row.isFailing;
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
    const nobody = faults.find(({ kind }) => kind === 'no process');
    const pause = rows.find(({ job }) => job.pause?.job === ALL_JOBS)?.job.pause;
    const items = [
        nobody && html`<li>${badge('overdue')} ${nobody.message}</li>`,
        pause && html`<li>${badge('paused')} all jobs ${pauseText(request, pause)}</li>`,
        ...rows.flatMap((row) => needsOf(request, row)),
    ].filter(Boolean);
    if (items.length === 0)
        return html`<section class="well" aria-label="What needs attention"><p>All is well: ${count(rows.length, 'job')}, and none needs attention.</p></section>`;
    return html`<section class="attention" aria-labelledby="needs"><h2 id="needs">Needs attention</h2><ul>${items}</ul></section>`;
}

/** What somebody has to see to in a job. */
function needsOf(request: PageRequest, { job, last, isFailing, overdueSince }: JobRow): Html[] {
    const { name, state, problems, pause } = job;
    const item = (word: string, what: Html) =>
        html`<li>${badge(word)} <a href="${jobPath(request, name)}">${name}</a> ${what}</li>`;
    const needs: Html[] = [];
    if (state === 'invalid') needs.push(item('invalid', html`<span>${problems[0]?.reason}</span>`));
    if (isFailing && last) {
        const { id, outcome, error, reason, endedAt, at } = last;
        const run = id && html` · <a href="${runPath(request, { job: name, id })}">why</a>`;
        needs.push(
            item(
                outcome,
                html`${timeTag(request, endedAt ?? at)}: <span>${firstLine(error ?? reason)}</span>${run}`,
            ),
        );
    }
    if (overdueSince !== undefined)
        needs.push(item('overdue', html`since ${timeTag(request, overdueSince)}`));
    if (pause && pause.job !== ALL_JOBS) needs.push(item('paused', pauseText(request, pause)));
    return needs;
}

function firstLine(text = ''): string {
    return text.split('\n', 1)[0] ?? '';
}

async function renderRow(request: PageRequest, row: JobRow, slots: readonly PastSlot[]): Promise<Html> {
    const { job, last, next, isRunning } = row;
    const { name, plan } = job;
    const states = [job.state, isRunning ? 'running' : 'scheduled'].filter((state) => state !== 'scheduled');
    const schedules = await Promise.all(
        (plan?.schedules ?? []).slice(0, 3).map((schedule) => scheduleText(request, schedule, SHORT_ARGS)),
    );
    const more = (plan?.schedules.length ?? 0) - schedules.length;
    const outcome = last && badge(last.outcome);
    const link = last?.id && html`<a href="${runPath(request, { job: name, id: last.id })}">${outcome}</a>`;
    return html`<div class="job" role="listitem" id="job-${name}">
        <div class="name"><h3><a href="${jobPath(request, name)}">${name}</a></h3><p>${plan?.settings.description}</p></div>
        <div class="when">${schedules}${more > 0 && html`<p>and ${more} more</p>`}${schedules.length === 0 && html`<p class="none">no schedule</p>`}</div>
        <div class="times">
            <p><span class="label">next</span> ${Number.isFinite(next) ? timeTag(request, next) : '–'}</p>
            <p><span class="label">last</span> ${last ? html`${link || outcome} ${timeTag(request, last.endedAt ?? last.at)}` : '–'}</p>
        </div>
        ${strip(request, slots)}
        <div class="state">${states.map((state) => badge(state))}</div>
        ${request.mayAct && buttons(request, job)}
    </div>`;
}

function buttons(request: PageRequest, { name, pause, plan }: JobOverview): Html {
    if (!plan?.runnable) return html``;
    const verb = pause ? 'Resume' : 'Pause';
    return html`<form class="buttons" method="post" action="${jobPath(request, name)}"><input type="hidden" name="from" value="overview">
        <button name="action" value="run" aria-label="Run ${name} now">Run</button>
        <button name="action" value="${verb.toLowerCase()}" aria-label="${verb} ${name}">${verb}</button></form>`;
}
