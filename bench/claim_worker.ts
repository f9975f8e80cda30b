import { setImmediate as turn } from 'node:timers/promises';
import { Journal } from '../lib/engines/embedded/journal.js';
import { claimRun } from '../lib/engines/embedded/runs.js';
import { createOwner } from '../lib/engines/owner.js';
import { benchRun } from './journal_runs.js';

/** Claims a number of slots of its own, in a process of its own, and tells how long that took, in milliseconds. */
const [path = '', job = '', count = '0', startAt = '0'] = process.argv.slice(2);
const owner = createOwner();
const journal = await Journal.open({ path, required: true, trouble: () => {}, restore: () => {} });
await new Promise((resolve) => setTimeout(resolve, Number(startAt) - Date.now()));
const start = performance.now();
for (let slot = 0; slot < Number(count); slot++) {
    const run = benchRun(job, slot);
    await journal.write((database) => claimRun(database, run, owner, { at: Date.now(), isExclusive: false }));
    if (slot % 100 === 0) await turn();
}
process.send?.(performance.now() - start);
await journal.close();
process.disconnect?.();
