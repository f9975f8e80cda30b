import { fileURLToPath } from 'node:url';
import { shownOutput } from '../runs/output.js';
import { foundRunAsJson } from '../runs/run_json.js';
import { factsOf } from '../views/run_facts.js';
import { thrownAt } from '../views/thrown_at.js';
import { type Html, html } from './html.js';
import {
    badge,
    factList,
    jobPath,
    momentOf,
    type Page,
    type PageRequest,
    runPath,
    timeTag,
    withoutHidden,
} from './page.js';

/** Everything on one run; undefined: history does not have it. */
export async function runPage(request: PageRequest, job: string, id: string): Promise<Page | undefined> {
    const run = await request.history.run(job, id);
    if (!run) return undefined;
    const { outcome, endedAt, error, stack, output } = run;
    const shown = { ...run, args: withoutHidden(run.args, request.hideArgs) };
    const facts = factsOf(shown, (ms) => html`${momentOf(request, ms)} (${timeTag(request, ms)})`);
    const button =
        endedAt === undefined
            ? html`<button name="action" value="abort" aria-label="Abort ${job}">Abort</button>`
            : html`<button class="main" name="action" value="again">Run again</button>`;
    return {
        title: `${job}, ${outcome}`,
        body: html`<h1><a href="${jobPath(request, job)}">${job}</a> ${badge(outcome)}</h1>
            ${factList(facts)}
            ${request.mayAct && html`<form class="buttons" method="post" action="${runPath(request, run)}">${button}</form>`}
            ${error !== undefined && html`<section><h2>Error</h2><p class="error">${error}</p>${stackOf(stack, request.root)}</section>`}
            ${output !== undefined && html`<section><h2>Output</h2><pre class="output" tabindex="0">${shownOutput(output)}</pre></section>`}
            <p class="file">Run ${id}</p>`,
        json: () => ({ run: foundRunAsJson(run) }),
    };
}

// The app's lines come first, and stand out; the others are there for who wants them.
function stackOf(text: string | undefined, root: string): Html {
    if (!text) return html``;
    const lines = text.split('\n');
    const own = lines.filter((line) => thrownAt(line, root) !== undefined);
    const pre = (shown: readonly string[], kind: string) =>
        html`<pre class="${kind}" tabindex="0">${shown.map((line) => shorten(line, root)).join('\n')}</pre>`;
    return html`${own.length > 0 && pre(own, 'app')}<details><summary>Whole stack</summary>${pre(lines, 'all')}</details>`;
}

function shorten(line: string, root: string): string {
    return line
        .replace(/file:\/\/\/[^\s)?#]+/, (url) => fileURLToPath(url))
        .replaceAll(`${root}/`, '')
        .trim();
}
