import type { PastSlot } from '../runs/lookups.js';
import { type Html, html } from './html.js';
import { momentOf, type PageRequest, tookOf } from './page.js';

/** How many slots a strip shows. */
export const STRIP = 60;

const HEIGHT = 28;

/** A job's last slots, a bar each, the newest on the right: its height is the duration, its colour the outcome. */
export function strip(request: PageRequest, slots: readonly PastSlot[]): Html {
    const longest = Math.max(1, ...slots.map(durationOf));
    const bars = slots.map((slot, index) => {
        const { outcome, reason, startedAt, endedAt, at } = slot;
        const share = outcome === 'skipped' ? 0.1 : durationOf(slot) / longest;
        const height = Math.round(4 + (HEIGHT - 4) * Math.sqrt(share));
        const title = [momentOf(request, at), outcome, tookOf(startedAt, endedAt), reason].filter(Boolean);
        return html`<rect class="${outcome}" x="${(STRIP - 1 - index) * 4}" y="${HEIGHT - height}" width="3" height="${height}"><title>${title.join(', ')}</title></rect>`;
    });
    return html`<svg class="strip" viewBox="0 0 ${STRIP * 4} ${HEIGHT}" role="img" aria-label="${summaryOf(slots)}">${bars}</svg>`;
}

/** What bars of skipped slots are filled with: once in a page. */
export const HATCH = html`<svg class="defs" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="3" height="3" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0v3"/></pattern></defs></svg>`;

function durationOf({ outcome, startedAt, endedAt }: PastSlot): number {
    return outcome === 'skipped' ? 0 : Math.max(0, (endedAt ?? startedAt) - startedAt);
}

function summaryOf(slots: readonly PastSlot[]): string {
    if (slots.length === 0) return 'no slot yet';
    const counts = new Map<string, number>();
    for (const { outcome } of slots) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    const parts = [...counts].map(([outcome, count]) => `${count} ${outcome.replace('_', ' ')}`);
    return `last ${slots.length} slots: ${parts.join(', ')}`;
}
