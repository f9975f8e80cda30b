import { cpus } from 'node:os';
import { journalTables } from './journal.js';
import { type Table, toMarkdown } from './table.js';
import { timetableTables } from './timetable.js';

/** Each measurement in its turn, as they would disturb each other. */
const MEASUREMENTS: readonly (() => Promise<Table[]>)[] = [timetableTables, journalTables];

console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores.\n`);
for (const measure of MEASUREMENTS) {
    for (const table of await measure()) console.log(`${toMarkdown(table)}\n`);
}
