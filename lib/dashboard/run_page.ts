import { fileURLToPath } from 'node:url';
import { shownOutput } from '../runs/output.js';
import { foundRunAsJson } from '../runs/run_json.js';
import { formatDuration } from '../time/duration.js';
import { thrownAt } from '../views/thrown_at.js';
import { type Html, html } from './html.js';
import { slotText } from './overview_page.js';
import { argsText, badge, jobPath, type Page, type PageRequest, runPath, timeTag, tookOf } from './page.js';

/** Everything on one run; undefined: history does not have it. */
export async function runPage(request: PageRequest, job: string, id: string): Promise<Page | undefined> {
    const run = await request.history.run(job, id);
    if (!run) return undefined;
    const { outcome, startedAt, endedAt, scheduledAt, lateBy, attempt, tenant, args, schedule, manual } = run;
    const isOver = endedAt !== undefined;
    const facts: readonly [string, Html | string | false | undefined][] = [
        [
            'Slot',
            scheduledAt !== undefined && html`${slotText(request, scheduledAt)} <code>${schedule}</code>`,
        ],
        ['Started', timeTag(request, startedAt)],
        ['Ended', isOver && timeTag(request, endedAt)],
        ['Took', tookOf(startedAt, endedAt)],
        ['Late by', lateBy > 0 && formatDuration(lateBy)],
        ['Attempt', attempt > 0 && String(attempt)],
        ['Tenant', tenant !== undefined && String(tenant)],
        ['Args', args.length > 0 && html`<code>${argsText(args, request)}</code>`],
        ['Requested by', run.requestedBy ?? (manual && 'unknown')],
        ['Process', startedAt !== undefined && run.host !== '' && `${run.pid} on ${run.host}`],
        ['Reason', run.reason],
    ];
    return {
        title: `${job}, ${outcome}`,
        body: html`<h1><a href="${jobPath(request, job)}">${job}</a> ${badge(outcome)}</h1>
            <dl class="facts">${facts.map(([name, value]) => value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
            ${request.mayAct && buttons(request, run, isOver)}
            ${run.error !== undefined && html`<section><h2>Error</h2><p class="error">${run.error}</p>${stack(run.stack, request.root)}</section>`}
            ${run.output !== undefined && html`<section><h2>Output</h2><pre class="output" tabindex="0">${shownOutput(run.output)}</pre></section>`}
            <p class="file">Run ${id}</p>`,
        json: () => ({ run: foundRunAsJson(run) }),
    };
}

function buttons(request: PageRequest, run: { job: string; id: string }, isOver: boolean): Html {
    return html`<form class="buttons" method="post" action="${runPath(request, run)}">${
        isOver
            ? html`<button class="main" name="action" value="again">Run again</button>`
            : html`<button name="action" value="abort" aria-label="Abort ${run.job}">Abort</button>`
    }</form>`;
}

// The app's lines come first, and stand out; the others are there for who wants them.
function stack(text: string | undefined, root: string): Html {
    if (!text) return html``;
    const lines = text.split('\n').map((line) => ({ line, isOfApp: thrownAt(line, root) !== undefined }));
    const first = lines.filter(({ isOfApp }) => isOfApp).map(({ line }) => shorten(line, root));
    return html`${first.length > 0 && html`<pre class="app" tabindex="0">${first.join('\n')}</pre>`}
        <details><summary>Whole stack</summary><pre tabindex="0">${lines.map(({ line }) => shorten(line, root)).join('\n')}</pre></details>`;
}

function shorten(line: string, root: string): string {
    return line
        .replace(/file:\/\/\/[^\s)?#]+/, (url) => fileURLToPath(url))
        .replaceAll(`${root}/`, '')
        .trim();
}
