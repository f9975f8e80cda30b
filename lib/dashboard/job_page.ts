import type { PastRun, PastSkips, WaitingRun } from '../runs/history.js';
import { OUTCOMES } from '../runs/run.js';
import { keepTogether } from '../text/paragraph.js';
import { jobPageAsJson } from '../views/as_json.js';
import { type JobOverview, nextSlotsOf, overviewsOf } from '../views/overview.js';
import { NEXT_SLOTS } from '../views/page.js';
import { pastFactsOf } from '../views/run_facts.js';
import { type SettingInForce, settingsOf } from '../views/settings_in_force.js';
import { charts, HATCH, STRIP, strip } from './charts.js';
import { type Html, html } from './html.js';
import {
    argsText,
    badge,
    factList,
    firstRow,
    jobPath,
    momentOf,
    type Page,
    type PageRequest,
    pageLinks,
    pauseText,
    runPath,
    scheduleText,
    select,
    table,
    timeTag,
} from './page.js';

const PER_PAGE = 50;

/** Among so many of its last failures errors are grouped. */
const MOST_ERRORS = 200;

const MOST_WAITING = 1_000;

const SHOWN: readonly string[] = ['running', ...OUTCOMES];

/** Everything on one job; undefined: there is none of that name. */
export async function jobPage(request: PageRequest, name: string): Promise<Page | undefined> {
    const { survey, history, query, now } = request;
    const statuses = await history.statusOf([name]);
    const jobs = overviewsOf(survey, statuses, await history.pauses(), now);
    const job = jobs.find((known) => known.name === name);
    if (!job) return undefined;
    const { plan, pause, state } = job;
    const from = firstRow(request);
    const outcome = SHOWN.find((known) => known === query['outcome']);
    const search = { outcome, tenant: query['tenant'] || undefined };
    const [found, failed, timedOut, slots, waiting, settings] = await Promise.all([
        history.search(name, search, from + PER_PAGE + 1),
        history.search(name, { outcome: 'failed' }, MOST_ERRORS),
        history.search(name, { outcome: 'timed_out' }, MOST_ERRORS),
        history.slots([name], 4 * STRIP),
        history.waitingRuns(MOST_WAITING),
        settingsOf(plan, survey),
    ]);
    const own = waiting.filter((run) => run.job === name);
    const past = found.slice(from, from + PER_PAGE);
    const last = slots.get(name) ?? [];
    const path = jobPath(request, name);
    return {
        title: name,
        body: html`${HATCH}<h1>${name}</h1>
            <p class="lead">${plan?.settings.description} ${state !== 'scheduled' && state !== 'paused' && badge(state)} ${pause && html`${badge('paused')} ${pauseText(request, pause)}`}</p>
            ${job.problems.map(({ reason }) => html`<p class="problem">${reason}</p>`)}
            ${strip(request, last.slice(0, STRIP))}
            ${request.mayAct && plan?.runnable && actions(request, job)}
            <section><h2>Next slots</h2>${await schedules(request, job)}</section>
            ${own.length > 0 && html`<section><h2>Waiting</h2>${waitingTable(request, own)}</section>`}
            ${errors(request, [...failed, ...timedOut])}
            <section><h2>Duration and lateness</h2>${charts(last)}</section>
            <section><h2>History</h2><form class="filters" action="${path}">
                ${select(request, 'outcome', 'Outcome', ['all', ...SHOWN])}
                <label>Tenant <input name="tenant" value="${query['tenant']}" autocomplete="off"></label> <button>Show</button></form>
                ${pastTable(request, past)}
                <p>${pageLinks(request, path, { size: PER_PAGE, total: found.length })}</p></section>
            <section><h2>Settings in force</h2>${settingsTable(settings)}<p class="file">${job.file}</p></section>`,
        json: async () => ({ job: await jobPageAsJson({ job, settings, past, waiting: own }, now) }),
    };
}

// Two forms: whoever ends a reason with the enter key means its own button.
function actions(request: PageRequest, { name, pause }: JobOverview): Html {
    const path = jobPath(request, name);
    const field = (label: string, placeholder = '') =>
        html`<label>${label} <input name="${label.toLowerCase()}" placeholder="${placeholder}" autocomplete="off"></label>`;
    const pausing = html`${field('Reason')} ${field('Until', '+2h')} <button name="action" value="pause" aria-label="Pause ${name}">Pause</button>`;
    const resuming = html`<button name="action" value="resume" aria-label="Resume ${name}">Resume</button>`;
    return html`<form class="act" method="post" action="${path}">
        ${field('Args', '["a", { "b": 1 }]')} ${field('Tenant', 'all')} ${field('Slot', '2026-11-25 02:00')}
        <button class="main" name="action" value="run" aria-label="Run ${name} now">Run</button></form>
        <form class="act" method="post" action="${path}">${pause ? resuming : pausing}</form>`;
}

async function schedules(request: PageRequest, job: JobOverview): Promise<Html> {
    const second = Math.floor(request.now / 1000);
    const facts = (job.plan?.schedules ?? []).map(async (schedule) => {
        const slots = nextSlotsOf(job, schedule, second, NEXT_SLOTS).map(
            (slot) => html`<li>${momentOf(request, slot * 1000)} (${timeTag(request, slot * 1000)})</li>`,
        );
        return [await scheduleText(request, schedule), html`<ol>${slots}</ol>`] as const;
    });
    if (facts.length === 0) return html`<p class="none">None.</p>`;
    return factList(await Promise.all(facts));
}

function waitingTable(request: PageRequest, runs: readonly WaitingRun[]): Html {
    const rows = runs.slice(0, PER_PAGE).map((run) => {
        const { scheduledAt, runAt, isReady, tenant = '', args } = run;
        const slot = scheduledAt === undefined ? 'none' : momentOf(request, scheduledAt * 1000);
        const blocked = runAt > request.now ? 'its time' : 'its lane, or the end of a pause';
        return [
            html`<a href="${runPath(request, run)}">${slot}</a>`,
            timeTag(request, runAt),
            isReady ? 'a free worker' : blocked,
            String(tenant),
            argsCell(args, request),
        ];
    });
    return table('Waiting', ['Slot', 'May start', 'Waits for', 'Tenant', 'Args'], rows);
}

/** Errors whose messages are the same but for numbers, the most frequent first. */
function errors(request: PageRequest, failures: readonly (PastRun | PastSkips)[]): Html {
    const groups = new Map<string, { count: number; text: string; newest: PastRun }>();
    for (const run of failures) {
        if (run.kind !== 'run') continue;
        const text = run.error ?? run.reason ?? run.outcome;
        const key = text.split('\n', 1)[0]?.replace(/\d+/g, '#') ?? '';
        const { count, ...first } = groups.get(key) ?? { count: 0, text, newest: run };
        groups.set(key, { ...first, count: count + 1 });
    }
    if (groups.size === 0) return html``;
    const rows = [...groups.values()]
        .sort((a, b) => b.count - a.count)
        .map(({ count, text, newest }) => [
            keepTogether(`${count} ×`),
            html`<a class="error" href="${runPath(request, newest)}">${text}</a>`,
            timeTag(request, newest.startedAt),
        ]);
    return html`<section><h2>Errors</h2>${table('Errors', ['Runs', 'Error', 'Last'], rows)}</section>`;
}

function pastTable(request: PageRequest, past: readonly (PastRun | PastSkips)[]): Html {
    const moment = (second: number) => momentOf(request, second * 1000);
    const rows = past.map((one) => {
        const { at, outcome, took, late, details } = pastFactsOf(one, request.now, moment);
        const start = keepTogether(momentOf(request, at));
        const [link, error] = one.kind === 'run' ? [runPath(request, one), one.error] : [];
        return [
            link ? html`<a href="${link}">${start}</a>` : start,
            badge(outcome),
            keepTogether(took),
            keepTogether(late),
            String(one.tenant ?? ''),
            argsCell(one.args, request),
            html`${details} ${error !== undefined && html`<span class="error">${error}</span>`}`,
        ];
    });
    return table('History', ['Started', 'Outcome', 'Took', 'Late', 'Tenant', 'Args', 'Details'], rows);
}

function argsCell(args: readonly unknown[], request: PageRequest): Html {
    const text = argsText(args, request);
    return html`${text && html`<code>${text}</code>`}`;
}

function settingsTable(settings: readonly SettingInForce[]): Html {
    const rows = settings.map(({ name, text, source }) => [html`<code>${name}</code>`, text, source]);
    return table('Settings in force', ['Setting', 'Value', 'From'], rows);
}
