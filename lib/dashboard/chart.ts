import type { PastSlot } from '../runs/lookups.js';
import { formatDuration } from '../time/duration.js';
import { type Html, html } from './html.js';

const WIDTH = 720;
const HEIGHT = 120;

/** Charts of how long the last slots took and how late they began, each with its median and 95th percentile. */
export function chart(slots: readonly PastSlot[]): Html {
    const over = slots
        .flatMap(({ outcome, endedAt, startedAt, at, manual }) =>
            outcome === 'skipped' || endedAt === undefined
                ? []
                : [{ outcome, took: endedAt - startedAt, late: manual ? 0 : Math.max(0, startedAt - at) }],
        )
        .reverse();
    if (over.length < 2) return html`<p class="none">Too few runs yet.</p>`;
    return html`<div class="charts">
        ${figure(
            'Took',
            over.map(({ took, outcome }) => ({ value: took, outcome })),
        )}
        ${figure(
            'Late',
            over.map(({ late }) => ({ value: late, outcome: 'late' })),
        )}</div>`;
}

function figure(name: string, points: readonly { value: number; outcome: string }[]): Html {
    const sorted = points.map(({ value }) => value).sort((a, b) => a - b);
    const share = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
    const [median, high, most] = [share(0.5), share(0.95), Math.max(1, share(1))];
    const y = (value: number) => Math.round(HEIGHT - (value / most) * (HEIGHT - 4));
    const step = WIDTH / points.length;
    const dots = points.map(
        ({ value, outcome }, index) =>
            html`<circle class="${outcome}" cx="${Math.round((index + 0.5) * step)}" cy="${y(value)}" r="2.5"/>`,
    );
    const line = (value: number) => html`<path class="line" d="M0 ${y(value)}H${WIDTH}"/>`;
    const text = `${name}: median ${formatDuration(median)}, 95th percentile ${formatDuration(high)}, at most ${formatDuration(share(1))}`;
    return html`<figure><figcaption>${text}</figcaption><svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${text}">${line(median)}${line(high)}${dots}</svg></figure>`;
}
