import type { PastSlot } from '../runs/history.js';
import { formatDuration } from '../time/duration.js';
import { type Html, html } from './html.js';
import { momentOf, type PageRequest } from './page.js';

/** How many slots a strip shows. */
export const STRIP = 60;

const STRIP_HEIGHT = 28;

const WIDTH = 720;
const HEIGHT = 120;

/** A job's last slots, a bar each, the newest on the right: its height is the duration, its colour the outcome. */
export function strip(request: PageRequest, slots: readonly PastSlot[]): Html {
    const longest = Math.max(1, ...slots.map(durationOf));
    const bars = slots.map((slot, index) => {
        const { outcome, reason, endedAt, at } = slot;
        const isSkipped = outcome === 'skipped';
        const share = isSkipped ? 0.1 : durationOf(slot) / longest;
        const height = Math.round(4 + (STRIP_HEIGHT - 4) * Math.sqrt(share));
        const took = endedAt !== undefined && !isSkipped && formatDuration(durationOf(slot));
        const title = [momentOf(request, at), outcome, took, reason].filter(Boolean).join(', ');
        return html`<rect class="${outcome}" x="${(STRIP - 1 - index) * 4}" y="${STRIP_HEIGHT - height}" width="3" height="${height}"><title>${title}</title></rect>`;
    });
    return html`<svg class="strip" viewBox="0 0 ${STRIP * 4} ${STRIP_HEIGHT}" role="img" aria-label="${summaryOf(slots)}">${bars}</svg>`;
}

/** What bars of skipped slots are filled with: once in a page. */
export const HATCH = html`<svg class="defs" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="3" height="3" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0v3"/></pattern></defs></svg>`;

function durationOf({ startedAt, endedAt }: PastSlot): number {
    return Math.max(0, (endedAt ?? startedAt) - startedAt);
}

function summaryOf(slots: readonly PastSlot[]): string {
    if (slots.length === 0) return 'no slot yet';
    const counts = new Map<string, number>();
    for (const { outcome } of slots) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    const parts = [...counts].map(([outcome, count]) => `${count} ${outcome.replace('_', ' ')}`);
    return `last ${slots.length} slots: ${parts.join(', ')}`;
}

/** Charts of how long the last slots took and how late they began, each with its median and 95th percentile. */
export function charts(slots: readonly PastSlot[]): Html {
    const over = slots.filter(({ outcome, endedAt }) => outcome !== 'skipped' && endedAt !== undefined);
    if (over.length < 2) return html`<p class="none">Too few runs yet.</p>`;
    const lateness = ({ manual, startedAt, at }: PastSlot) => (manual ? 0 : Math.max(0, startedAt - at));
    return html`<div class="charts">${chart('Took', over, durationOf)}${chart('Late', over, lateness)}</div>`;
}

function chart(name: string, slots: readonly PastSlot[], measure: (slot: PastSlot) => number): Html {
    const sorted = slots.map(measure).sort((a, b) => a - b);
    const share = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
    const [median, high, most] = [share(0.5), share(0.95), share(1)];
    const y = (value: number) => Math.round(HEIGHT - (value / Math.max(1, most)) * (HEIGHT - 4));
    const step = WIDTH / slots.length;
    const dots = slots.map(
        (slot, index) =>
            html`<circle class="${slot.outcome}" cx="${Math.round(WIDTH - (index + 0.5) * step)}" cy="${y(measure(slot))}" r="2.5"/>`,
    );
    const line = (value: number) => html`<path class="line" d="M0 ${y(value)}H${WIDTH}"/>`;
    const text = `${name}: median ${formatDuration(median)}, 95th percentile ${formatDuration(high)}, at most ${formatDuration(most)}`;
    return html`<figure><figcaption>${text}</figcaption><svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${text}">${line(median)}${line(high)}${dots}</svg></figure>`;
}
