import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../test/support/redis_server.js';
import { answerOf } from './child.js';
import type { SlotFiles } from './measure_slot_files.js';
import type { Table } from './table.js';

/** As many files a reader should have to open who follows a slot. */
const AIM = 18;

/** Lists our files that a slot passes, in each engine. */
export async function slotFilesTables(): Promise<Table[]> {
    const folder = mkdtempSync(join(tmpdir(), 'pinstripe-bot-bench-'));
    const redis = await startRedis(['--appendonly', 'no']);
    const filesOf = (place: string) => answerOf<SlotFiles>('./measure_slot_files.js', place);
    try {
        return [
            tableOf('embedded', await filesOf(join(folder, 'slot.db'))),
            tableOf('bullmq', await filesOf(redis.url)),
        ];
    } finally {
        await redis.stop('SIGKILL');
        rmSync(folder, { recursive: true, force: true });
    }
}

function tableOf(engine: string, { idle, slot }: SlotFiles): Table {
    const only = slot.filter((file) => !idle.includes(file));
    return {
        title: `The files that a slot passes, with the engine ${engine}`,
        columns: ['file', 'also in a second with nothing due'],
        rows: slot.map((file) => [file, idle.includes(file) ? 'yes' : '']),
        notes: [
            `${slot.length} files in which a named function is called in a second with one due slot, ${only.length} of them ` +
                `because of it. Aim: at most ${AIM}: ${slot.length <= AIM ? 'met' : '**not met**'}.`,
        ],
    };
}
