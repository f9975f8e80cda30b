import type { Lookups } from '../runs/lookups.js';
import type { Bot, Survey } from '../scheduler/bot.js';
import { formatDuration } from '../time/duration.js';
import { isoMoment } from '../time/iso_time.js';
import { formatUniqueMoment, withoutZeroSeconds } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { type Html, html } from './html.js';

/** What a page is made of. */
export interface PageRequest {
    readonly bot: Bot;
    readonly survey: Survey;
    readonly history: Lookups;
    /** The app's folder. */
    readonly root: string;
    /** The path of the overview: `/bot`. */
    readonly base: string;
    /** Whether buttons are shown, and taken. */
    readonly mayAct: boolean;
    /** What stands behind the `?`. */
    readonly query: Readonly<Record<string, string | undefined>>;
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

/** How long something took. */
export function tookOf(startedAt: number | undefined, endedAt: number | undefined): string {
    return startedAt === undefined || endedAt === undefined ? '' : formatDuration(endedAt - startedAt);
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

/** A table; cells that are texts are escaped. */
export function table(
    caption: string,
    headings: readonly string[],
    rows: readonly (readonly (Html | string)[])[],
): Html {
    if (rows.length === 0) return html`<p class="none">None.</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
        <thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
        <tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
    </table></div>`;
}
