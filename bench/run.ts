// node --expose-gc run.js [measurement...]: prints the results as markdown
import { cpus } from 'node:os';
import { bullmqTables } from './bullmq.js';
import { dashboardTables } from './dashboard.js';
import { dispatchTables } from './dispatch.js';
import { latenessTables } from './lateness.js';
import { previewTables } from './preview.js';
import { slotFilesTables } from './slot_files.js';
import { startUpTables } from './start_up.js';
import { type Table, toMarkdown } from './table.js';
import { timetableTables } from './timetable.js';

const MEASUREMENTS: Readonly<Record<string, () => Promise<Table[]>>> = {
    timetable: timetableTables,
    preview: previewTables,
    dispatch: dispatchTables,
    lateness: latenessTables,
    'slot-files': slotFilesTables,
    'start-up': startUpTables,
    bullmq: bullmqTables,
    dashboard: dashboardTables,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in MEASUREMENTS));
if (unknown.length > 0) {
    throw new RangeError(`no measurement is called ${unknown}: there are ${Object.keys(MEASUREMENTS)}`);
}

console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores.\n`);
// One after another, as they would disturb each other.
for (const [name, measure] of Object.entries(MEASUREMENTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const table of await measure()) console.log(`${toMarkdown(table)}\n`);
}
