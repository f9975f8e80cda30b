import type { PastRun, PastSkips } from '../runs/history.js';
import { pauseOf } from '../runs/pause.js';
import { hasTenantsTable } from '../runs/tenants.js';
import { readError } from '../text/errors.js';
import { formatDuration } from '../time/duration.js';
import { jobPageAsJson } from '../views/as_json.js';
import { type JobOverview, overviewsOf } from '../views/overview.js';
import { NEXT_SLOTS, nextSlots } from '../views/page.js';
import { settingsInForce } from '../views/settings_in_force.js';
import { chart } from './chart.js';
import { type Html, html } from './html.js';
import { pauseText, scheduleText, slotText } from './overview_page.js';
import {
    argsText,
    badge,
    jobPath,
    type Page,
    type PageRequest,
    runPath,
    table,
    timeTag,
    tookOf,
} from './page.js';
import { HATCH, STRIP, strip } from './strip.js';

const PER_PAGE = 50;

/** Among so many of its last failures errors are grouped. */
const MOST_ERRORS = 200;

const OUTCOMES = ['all', 'running', 'succeeded', 'failed', 'timed_out', 'aborted', 'lost', 'skipped'];

/** Everything on one job; undefined: there is none of that name. */
export async function jobPage(request: PageRequest, name: string): Promise<Page | undefined> {
    const { survey, history, query, now } = request;
    const pauses = await history.pauses();
    const status = await history.statusOf([name]);
    const job = overviewsOf(survey, status, pauses, now).find((known) => known.name === name);
    if (!job) return undefined;
    const from = Math.max(0, Number(query['from'] ?? 0) || 0);
    const search = {
        outcome:
            OUTCOMES.includes(query['outcome'] ?? '') && query['outcome'] !== 'all'
                ? query['outcome']
                : undefined,
        tenant: query['tenant'] || undefined,
    };
    const [past, failed, timedOut, slots, waiting] = await Promise.all([
        history.search(name, search, from + PER_PAGE + 1),
        history.search(name, { outcome: 'failed' }, MOST_ERRORS),
        history.search(name, { outcome: 'timed_out' }, MOST_ERRORS),
        history.slots([name], 4 * STRIP),
        history.waitingRuns(1_000),
    ]);
    const own = waiting.filter((run) => run.job === name);
    const shown = past.slice(from, from + PER_PAGE);
    const last = slots.get(name) ?? [];
    const settings = job.plan
        ? settingsInForce(job.plan, {
              ...survey,
              hasTenants: await hasTenantsTable().catch(readError),
          })
        : [];
    const pause = pauseOf(pauses, name, now);
    return {
        title: name,
        body: html`${HATCH}<h1>${name}</h1>
            <p class="lead">${job.plan?.settings.description} ${job.state !== 'scheduled' && badge(job.state)} ${pause && pauseText(request, pause)}</p>
            ${job.problems.map(({ reason }) => html`<p class="problem">${reason}</p>`)}
            ${strip(request, last.slice(0, STRIP))}
            ${request.mayAct && job.plan?.runnable && actions(request, job)}
            <section><h2>Next slots</h2>${await schedules(request, job)}</section>
            ${waits(request, own)}
            ${errors(request, [...failed, ...timedOut])}
            <section><h2>Duration and lateness</h2>${chart(last)}</section>
            <section><h2>History</h2>${historyFilters(request, name)}${pastTable(request, shown)}
                ${pager(request, name, from, past.length > from + PER_PAGE)}</section>
            <section><h2>Settings in force</h2>${table(
                'Settings in force',
                ['Setting', 'Value', 'From'],
                settings.map(({ name: setting, text, source }) => [
                    html`<code>${setting}</code>`,
                    text,
                    source,
                ]),
            )}<p class="file">${job.file}</p></section>`,
        json: async () => ({ job: await jobPageAsJson({ job, settings, past: shown, waiting: own }, now) }),
    };
}

async function schedules(request: PageRequest, { plan, state }: JobOverview): Promise<Html> {
    const second = Math.floor(request.now / 1000);
    const rows = await Promise.all(
        (plan?.schedules ?? []).map(async (schedule) => {
            const slots = state === 'excluded' ? [] : nextSlots(schedule, second, NEXT_SLOTS);
            const times = slots.map(
                (slot) => html`<li>${slotText(request, slot)} (${timeTag(request, slot * 1000)})</li>`,
            );
            return [await scheduleText(request, schedule), html`<ol>${times}</ol>`];
        }),
    );
    return table('Next slots', ['Schedule', 'Next'], rows);
}

function waits(request: PageRequest, runs: Awaited<ReturnType<PageRequest['history']['waitingRuns']>>): Html {
    if (runs.length === 0) return html``;
    const rows = runs
        .slice(0, PER_PAGE)
        .map((run) => [
            html`<a href="${runPath(request, run)}">${slotText(request, run.scheduledAt)}</a>`,
            timeTag(request, run.runAt),
            run.isReady
                ? 'a free worker'
                : run.runAt > request.now
                  ? 'its time'
                  : 'its lane, or the end of a pause',
            String(run.tenant ?? ''),
            html`<code>${argsText(run.args, request)}</code>`,
        ]);
    return html`<section><h2>Waiting</h2>${table('Waiting', ['Slot', 'May start', 'Waits for', 'Tenant', 'Args'], rows)}</section>`;
}

function errors(request: PageRequest, failures: readonly (PastRun | PastSkips)[]): Html {
    const groups = new Map<string, { count: number; newest: PastRun }>();
    for (const run of failures) {
        if (run.kind !== 'run') continue;
        const text = (run.error ?? run.reason ?? run.outcome).split('\n')[0]?.replace(/\d+/g, '#') ?? '';
        const known = groups.get(text);
        groups.set(text, { count: (known?.count ?? 0) + 1, newest: known?.newest ?? run });
    }
    if (groups.size === 0) return html``;
    const rows = [...groups.values()]
        .sort((a, b) => b.count - a.count)
        .map(({ count, newest }) => [
            `${count} ×`,
            html`<a class="error" href="${runPath(request, newest)}">${newest.error ?? newest.reason ?? newest.outcome}</a>`,
            timeTag(request, newest.startedAt),
        ]);
    return html`<section><h2>Errors</h2>${table('Errors', ['Runs', 'Error', 'Last'], rows)}</section>`;
}

function pastTable(request: PageRequest, past: readonly (PastRun | PastSkips)[]): Html {
    const rows = past.map((one) => {
        const more = [String(one.tenant ?? ''), html`<code>${argsText(one.args, request)}</code>`] as const;
        if (one.kind === 'skips') {
            const { first, last, count, reason, atLeast } = one;
            const span =
                count > 1 ? `, ${atLeast ? 'over ' : ''}${count} slots up to ${slotText(request, last)}` : '';
            return [timeTag(request, first * 1000), badge('skipped'), '', '', ...more, `${reason}${span}`];
        }
        const { outcome, startedAt, endedAt, lateBy, attempt, manual, reason, error } = one;
        const notes = [manual && 'by hand', attempt > 1 && `attempt ${attempt}`, reason, error].filter(
            Boolean,
        );
        return [
            html`<a href="${runPath(request, one)}">${timeTag(request, startedAt)}</a>`,
            badge(outcome),
            tookOf(startedAt, endedAt),
            lateBy >= 1000 ? formatDuration(lateBy) : '',
            ...more,
            html`<span class="error">${notes.join(', ')}</span>`,
        ];
    });
    return table('History', ['Started', 'Outcome', 'Took', 'Late', 'Tenant', 'Args', 'Details'], rows);
}

function historyFilters(request: PageRequest, name: string): Html {
    const { query } = request;
    return html`<form class="filters" action="${jobPath(request, name)}">
        <label>Outcome <select name="outcome">${OUTCOMES.map((outcome) => html`<option value="${outcome}"${outcome === query['outcome'] && html` selected`}>${outcome.replace('_', ' ')}</option>`)}</select></label>
        <label>Tenant <input name="tenant" value="${query['tenant']}" autocomplete="off"></label> <button>Show</button></form>`;
}

function pager(request: PageRequest, name: string, from: number, hasMore: boolean): Html {
    const to = (start: number, word: string) => {
        const { outcome = 'all', tenant = '' } = request.query;
        const search = new URLSearchParams({ outcome, tenant, from: String(start) });
        return html`<a href="${jobPath(request, name)}?${String(search)}">${word}</a> `;
    };
    return html`<p class="pages">${from > 0 && to(Math.max(0, from - PER_PAGE), 'newer')}${hasMore && to(from + PER_PAGE, 'older')}</p>`;
}

function actions(request: PageRequest, { name, pause }: JobOverview): Html {
    const verb = pause ? 'Resume' : 'Pause';
    return html`<form class="act" method="post" action="${jobPath(request, name)}">
        <label>Args <input name="args" placeholder='["a", { "b": 1 }]' autocomplete="off"></label>
        <label>Tenant <input name="tenant" placeholder="all" autocomplete="off"></label>
        <label>Slot <input name="slot" placeholder="2026-11-25 02:00" autocomplete="off"></label>
        <button class="main" name="action" value="run" aria-label="Run ${name} now">Run</button>
        ${!pause && html`<label>Reason <input name="reason" autocomplete="off"></label><label>Until <input name="until" placeholder="+2h" autocomplete="off"></label>`}
        <button name="action" value="${verb.toLowerCase()}" aria-label="${verb} ${name}">${verb}</button></form>`;
}
