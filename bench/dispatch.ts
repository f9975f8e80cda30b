import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerOf } from './child.js';
import type { DispatchFigures } from './measure_dispatch.js';
import { median } from './stopwatch.js';
import { show, type Table } from './table.js';

const PROCESSES = 5;

/** How many times the framework's own runs each may take at most. */
const AIMS: Record<keyof DispatchFigures, [string, number]> = {
    frameworkJob: ["the framework's `Job.run`", 1],
    runner: ['workspace, signal, outcome and events, without an engine', 1],
    memory: ['the whole way, recorded in memory', 2.1],
    file: ['the whole way, recorded in a file', 3.3],
};

/** Measures what a thousand empty jobs take that are due in one second. */
export async function dispatchTables(): Promise<Table[]> {
    const folder = mkdtempSync(join(tmpdir(), 'pinstripe-bot-bench-'));
    try {
        const figures: DispatchFigures[] = [];
        for (let index = 0; index < PROCESSES; index++)
            figures.push(await answerOf<DispatchFigures>('./measure_dispatch.js', folder));
        const names = Object.keys(AIMS) as (keyof DispatchFigures)[];
        return [
            {
                title: 'A thousand empty jobs, due in one second',
                columns: ['', 'time', 'over `Job.run`, the median of five processes', 'aim'],
                rows: names.map((name) => {
                    const ratio = median(figures.map((one) => one[name] / one.frameworkJob));
                    const [what, aim] = AIMS[name];
                    const time = show(median(figures.map((one) => one[name])), 'ms');
                    return [what, time, show(ratio, 'times'), `≤ ${aim}`];
                }),
            },
        ];
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
