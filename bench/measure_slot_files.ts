// The process that finds the files of a slot: node measure_slot_files.js <file of a journal, or url of a Redis>
import { Session } from 'node:inspector/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Workspace } from '../lib/framework.js';
import { BackgroundJob } from '../lib/jobs/background_job.js';
import { Bot } from '../lib/scheduler/bot.js';
import type { BackgroundJobClass } from '../types/background_job.js';

/** Our files in which a named function is called, by the number of slots in a second. */
export interface SlotFiles {
    /** In a second with nothing due. */
    readonly idle: readonly string[];
    /** In a second with one due slot. */
    readonly slot: readonly string[];
}

/** A slot each two seconds, so that every other second is idle. */
const PERIOD = 2_000;
const SETTLING = 6_000;
const ROOT = fileURLToPath(new URL('../', import.meta.url));

const [, , place = ''] = process.argv;
await Workspace.run(() => {});
BackgroundJob.register('every-other-second', {
    multiTenant: false,
    meta(this: BackgroundJobClass) {
        this.schedule('*/2 * * * * *');
    },
    run() {},
});
const engine = place.startsWith('redis:')
    ? ({ engine: 'bullmq', redis: place } as const)
    : ({ journal: { filename: place } } as const);
void new Bot({ config: async () => ({ log: 'json', ...engine }) }).start();
await delay(SETTLING);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
const slot = await filesOfSecond(0);
const idle = await filesOfSecond(1_000);
process.send?.({ idle, slot }, () => process.exit());

/** The files of the second that begins so many milliseconds after a slot, from half a second before it on. */
async function filesOfSecond(afterSlot: number): Promise<string[]> {
    const begin = Math.ceil(Date.now() / PERIOD) * PERIOD + PERIOD + afterSlot - 500;
    await delay(begin - Date.now());
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    await delay(begin + 1_000 - Date.now());
    const { result } = await session.post('Profiler.takePreciseCoverage');
    await session.post('Profiler.stopPreciseCoverage');
    return result
        .filter(({ url }) => url.startsWith('file:') && fileURLToPath(url).startsWith(`${ROOT}lib/`))
        .filter(({ functions }) =>
            functions.some(
                ({ functionName, ranges: [range] }) =>
                    /^[^<]/.test(functionName) && range !== undefined && range.count > 0,
            ),
        )
        .map(({ url }) => fileURLToPath(url).slice(ROOT.length).replace(/js$/, 'ts'))
        .sort();
}
