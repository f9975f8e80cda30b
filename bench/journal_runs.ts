import type { Database } from '../lib/engines/embedded/database.js';
import { claimRun, recordOutcome } from '../lib/engines/embedded/runs.js';
import { createOwner } from '../lib/engines/owner.js';
import { createRun, type Run } from '../lib/runs/run.js';

const FIRST_SLOT = 1_767_225_600;

/** A run as an app has them. */
export function benchRun(job: string, index: number): Run {
    return createRun({
        job,
        file: undefined,
        schedule: 'CRON_TZ=Europe/London */5 * * * * *',
        args: ['hourly', { deep: true }],
        tenant: undefined,
        scheduledAt: FIRST_SLOT + 5 * index,
        manual: false,
    });
}

/** Fills a journal with ended runs of twenty jobs, a thousand in a transaction. */
export function fillJournal(database: Database, from: number, to: number): void {
    const owner = createOwner();
    for (let start = from; start < to; start += 1_000) {
        database.transaction(() => {
            for (let index = start; index < start + 1_000; index++) {
                const run = benchRun(`send-digests-${index % 20}`, index);
                const at = (run.scheduledAt ?? 0) * 1000 + 3;
                const claim = claimRun(database, run, owner, { at, isExclusive: true });
                if (claim.answer !== 'granted') throw new Error(`the claim was ${claim.answer}`);
                recordOutcome(database, claim.seq, {
                    ...run,
                    attempt: 1,
                    startedAt: at,
                    endedAt: at + 20,
                    outcome: 'succeeded',
                });
            }
        });
    }
}
