import type { History } from '../runs/history.js';
import type { Pause } from '../runs/pause.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import type { Bot, Survey } from '../scheduler/bot.js';
import { formatUniqueMoment, isoMoment, withoutZeroSeconds } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { assets } from './assets.js';
import { type Html, html, type Value } from './html.js';

/** What a page is made of. */
export interface PageRequest {
    readonly bot: Bot;
    readonly survey: Survey;
    readonly history: History;
    /** The app's folder. */
    readonly root: string;
    /** The path of the overview: `/bot`. */
    readonly base: string;
    /** The path of the page from there on, without `.json`: `/timeline`, and nothing for the overview. */
    readonly path: string;
    readonly isJson: boolean;
    /** Whether buttons are shown, and taken. */
    readonly mayAct: boolean;
    /** What stands behind the `?`. */
    readonly query: Readonly<Record<string, string>>;
    /** Unix milliseconds. */
    readonly now: number;
    readonly hideArgs: readonly string[];
    /** Who asks, where the pages know the name; undefined: the process's user stands for them. */
    readonly by: string | undefined;
}

/** A page, and the same for programs. */
export interface Page {
    readonly title: string;
    readonly body: Html;
    json(): Promise<object> | object;
}

/** The address of a job's page. */
export function jobPath({ base }: Pick<PageRequest, 'base'>, job: string): string {
    return `${base}/jobs/${encodeURIComponent(job)}`;
}

/** The address of a run's page. */
export function runPath(
    request: Pick<PageRequest, 'base'>,
    { job, id }: { job: string; id: string },
): string {
    return `${jobPath(request, job)}/runs/${encodeURIComponent(id)}`;
}

/** A moment on the clock of the config's zone. */
export function momentOf({ survey }: Pick<PageRequest, 'survey'>, ms: number): string {
    return withoutZeroSeconds(formatUniqueMoment(ms / 1000, survey.timezone ?? processTimezone()));
}

/** A moment as it is told: how far away it is, where scripts are on. */
export function timeTag(request: Pick<PageRequest, 'survey'>, ms: number | undefined): Html {
    if (ms === undefined || !Number.isFinite(ms)) return html``;
    const text = momentOf(request, ms);
    return html`<relative-time datetime="${isoMoment(ms)}" title="${text}" no-title>${text}</relative-time>`;
}

/** An outcome, or a state, with its colour. */
export function badge(word: string, more = ''): Html {
    return html`<span class="badge ${word}">${word.replace('_', ' ')}${more}</span>`;
}

/** Since when a job is paused, and what else is known of that. */
export function pauseText(request: PageRequest, { pausedAt, until, reason, by }: Pause): Html {
    return html`since ${timeTag(request, pausedAt)}${until !== undefined && html`, until ${timeTag(request, until)}`}${by && `, by ${by}`}${reason && `: ${reason}`}`;
}

/** A schedule in words, with its crontab, its zone and its args, of which so many characters are shown. */
export async function scheduleText(
    request: PageRequest,
    { crontab, timezone, args }: Schedule,
    longestArgs = Infinity,
): Promise<Html> {
    const words = await describeCrontab(crontab);
    const given = argsText(args, request);
    const shown = given.length > longestArgs ? `${given.slice(0, longestArgs)}…` : given;
    return html`<p>${words !== crontab && html`${words} `}<code class="crontab">${crontab}</code> ${timezone}${shown && html` <code>${shown}</code>`}</p>`;
}

/** A choice in a form; what the address has is chosen. */
export function select({ query }: PageRequest, name: string, label: string, values: readonly string[]): Html {
    const options = values.map(
        (value) =>
            html`<option value="${value}"${value === query[name] && html` selected`}>${value.replace('_', ' ')}</option>`,
    );
    return html`<label>${label} <select name="${name}">${options}</select></label>`;
}

/** From which row of a list on a page shows it. */
export function firstRow({ query }: PageRequest): number {
    return Math.max(0, Number.parseInt(query['from'] ?? '', 10) || 0);
}

/** Links to the rows of a list before and after those that are shown. */
export function pageLinks(
    request: PageRequest,
    address: string,
    { size, total }: { size: number; total: number },
): Html {
    const from = firstRow(request);
    const to = (start: number, word: string) =>
        html` <a href="${address}?${String(new URLSearchParams({ ...request.query, from: String(start) }))}">${word}</a>`;
    return html`${from > 0 && to(Math.max(0, from - size), 'previous')}${from + size < total && to(from + size, 'next')}`;
}

/** Args as JSON, without the values that nobody is to see. */
export function argsText(args: readonly unknown[], { hideArgs }: Pick<PageRequest, 'hideArgs'>): string {
    return args.length === 0 ? '' : JSON.stringify(withoutHidden(args, hideArgs));
}

/** The same value, without those values in args that nobody is to see; a settings' name is no arg's. */
export function withoutHidden<T>(value: T, names: readonly string[]): T {
    if (names.length === 0) return value;
    return JSON.parse(
        JSON.stringify(value, (key, inner) => (key !== '' && names.includes(key) ? '(hidden)' : inner)),
    );
}

/** Facts with their names, side by side. */
export function factList(facts: readonly (readonly [name: Value, value: Value])[]): Html {
    return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** A table; cells that are texts are escaped, and columns in which nothing stands are left out. */
export function table(
    caption: string,
    headings: readonly string[],
    rows: readonly (readonly (Html | string)[])[],
): Html {
    if (rows.length === 0) return html`<p class="none">None.</p>`;
    const used = headings.map((_, column) => rows.some((cells) => html`${cells[column]}`.text !== ''));
    const heading = headings.filter((_, column) => used[column]);
    const cellsOf = (row: readonly (Html | string)[]) =>
        row.filter((_, column) => used[column]).map((cell) => html`<td>${cell}</td>`);
    return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
        <thead><tr>${heading.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`<tr>${cellsOf(row)}</tr>`)}</tbody>
    </table></div>`;
}

/** A whole page around what it shows. */
export function layout(base: string, path: string, { title, body }: Pick<Page, 'title' | 'body'>): string {
    const from = `${base}/assets/${assets().version}`;
    const link = (to: string, name: string) =>
        html`<a href="${base}${to}"${to === path && html` aria-current="page"`}>${name}</a>`;
    return html`<!doctype html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · bot</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${from}/page.css">
    <script type="module" src="${from}/page.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><nav aria-label="Pages">${link('', 'Jobs')}${link('/timeline', 'Timeline')}${link('/processes', 'Processes')}${link('/check', 'Check')}</nav><span id="live" role="status"></span></header>
<main id="main">${body}</main>
</body>
</html>
`.text;
}
