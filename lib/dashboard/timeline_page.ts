import type { Busy } from '../runs/history.js';
import { readCrontab } from '../schedule/crontab.js';
import type { Schedule } from '../schedule/schedule.js';
import { count } from '../text/format.js';
import { isoMoment } from '../time/moment.js';
import { overviewsOf, startOf } from '../views/overview.js';
import { type Html, html } from './html.js';
import { jobPath, momentOf, type Page, type PageRequest } from './page.js';

/** A cell of the timeline, in seconds. */
const STEP = 600;
const DAY = 86_400;
const CELLS = (2 * DAY) / STEP;
const HOUR = 3_600_000;
const WIDTH = 4;
const LANE = 18;
const MOST_LANES = 100;

/** So many jobs in one second stand out. */
const CROWD = 5;
const MOST_CROWDS = 20;

/** A day back and a day ahead: a lane for each job, with what ran and what will. */
export async function timelinePage(request: PageRequest): Promise<Page> {
    const { survey, history, now } = request;
    const middle = Math.floor(now / 1000 / STEP) * STEP;
    const start = (middle - DAY) * 1000;
    const [past, pauses] = await Promise.all([history.since(start, STEP * 1000), history.pauses()]);
    const lanes = new Map<string, Lane>();
    const seconds = new Map<number, Set<string>>();
    for (const job of overviewsOf(survey, new Map(), pauses, now)) {
        const lane: Lane = { name: job.name, past: [], slots: [] };
        lanes.set(job.name, lane);
        for (const schedule of job.plan?.schedules ?? []) {
            const slots = cellsOf(schedule, middle).filter((slot) => slot >= startOf(job));
            lane.slots.push(...slots);
            // What is due within the minute meets everybody.
            if (readCrontab(schedule.crontab).second.values.length > 1) continue;
            for (const slot of slots) seconds.set(slot, (seconds.get(slot) ?? new Set()).add(job.name));
        }
    }
    for (const cell of past) lanes.get(cell.job)?.past.push(cell);
    const busy = [...lanes.values()].filter((lane) => lane.past.length + lane.slots.length > 0);
    const crowds = [...seconds]
        .filter(([, names]) => names.size >= CROWD)
        .sort(([, a], [, b]) => b.size - a.size)
        .slice(0, MOST_CROWDS);
    const told = crowds
        .slice(0, 3)
        .map(([second, names]) => `${momentOf(request, second * 1000)} (${count(names.size, 'job')})`);
    return {
        title: 'Timeline',
        body: html`<h1>Timeline</h1><p class="lead">A day back, and a day ahead; a bar stands for ten minutes.</p>
            ${crowds.length > 0 && html`<p>Crowded: ${told.join(', ')}</p>`}
            <div class="scroll" tabindex="0" role="region" aria-label="Timeline">${chart(request, busy.slice(0, MOST_LANES), start, crowds)}</div>
            ${busy.length > MOST_LANES && html`<p class="none">and ${count(busy.length - MOST_LANES, 'more job')}</p>`}`,
        json: () => ({
            from: isoMoment(start),
            step: STEP * 1000,
            past: past.map((cell) => ({ ...cell, at: isoMoment(cell.at) })),
            crowded: crowds.map(([second, names]) => ({ at: isoMoment(second * 1000), jobs: [...names] })),
        }),
    };
}

interface Lane {
    readonly name: string;
    readonly past: Busy[];
    readonly slots: number[];
}

function chart(
    request: PageRequest,
    lanes: readonly Lane[],
    start: number,
    crowds: readonly (readonly [number, ReadonlySet<string>])[],
): Html {
    const height = (lanes.length + 1) * LANE;
    const x = (ms: number) => Math.floor((ms - start) / 1000 / STEP) * WIDTH;
    const now = html`<path class="now" d="M${x(request.now)} 0V${height}"/>`;
    const hour = Math.ceil(start / HOUR) * HOUR;
    const hours = Array.from({ length: 8 }, (_, index) => hour + index * 6 * HOUR).map(
        (at) => html`<text x="${x(at) + 2}" y="12">${momentOf(request, at).slice(5, 16)}</text>`,
    );
    const marks = crowds.map(
        ([second, names]) =>
            html`<path class="crowd" d="M${x(second * 1000)} ${LANE}V${height}"><title>${count(names.size, 'job')} at ${momentOf(request, second * 1000)}</title></path>`,
    );
    const rows = lanes.map(({ name, past, slots }, index) => {
        const y = (index + 1) * LANE;
        // One path for all that is to come: of each bar nothing but its time could be told.
        const planned = slots.map((slot) => `M${x(slot * 1000)} ${y + LANE / 2}h${WIDTH - 1}`).join('');
        const bars = past.map(
            ({ at, outcome, count: runs }) =>
                html`<rect class="${outcome}" x="${x(at)}" y="${y + 3}" width="${WIDTH - 1}" height="${LANE - 6}"><title>${name}, ${momentOf(request, at)}: ${count(runs, 'run')}, ${outcome}</title></rect>`,
        );
        return html`<path class="planned" d="${planned}"><title>${name} will run</title></path>${bars}`;
    });
    return html`<div class="lanes"><ul aria-label="Jobs">${lanes.map(({ name }) => html`<li><a href="${jobPath(request, name)}">${name}</a></li>`)}</ul>
        <svg class="timeline" width="${CELLS * WIDTH}" height="${height}" role="img" aria-label="What ran and what will, for ${count(lanes.length, 'job')}">${hours}${rows}${marks}${now}</svg></div>`;
}

const ahead = new WeakMap<Schedule, { from: number; slots: readonly number[] }>();

/** The first slot of a schedule in each cell of the day ahead, in unix seconds. */
function cellsOf(schedule: Schedule, from: number): readonly number[] {
    const known = ahead.get(schedule);
    if (known?.from === from) return known.slots;
    const slots: number[] = [];
    for (let after = from - 1; ; ) {
        const slot = schedule.next(after);
        if (slot === undefined || slot >= from + DAY) break;
        slots.push(slot);
        after = (Math.floor(slot / STEP) + 1) * STEP - 1;
    }
    ahead.set(schedule, { from, slots });
    return slots;
}
