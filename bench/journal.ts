import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbeddedEngine } from '../lib/engines/embedded/engine.js';
import { Journal } from '../lib/engines/embedded/journal.js';
import { openFile } from '../lib/engines/embedded/opening.js';
import { claimRun } from '../lib/engines/embedded/runs.js';
import { createOwner } from '../lib/engines/owner.js';
import { BackgroundJob } from '../lib/jobs/background_job.js';
import type { Engine } from '../lib/runs/engine.js';
import { Bot } from '../lib/scheduler/bot.js';
import type { BotConfig } from '../types/bot_config.js';
import { ForgetfulEngine } from './forgetful_engine.js';
import { benchRun, fillJournal } from './journal_runs.js';
import { median } from './stopwatch.js';
import { show, type Table } from './table.js';

const RUNS = 3_000;
const CLAIMS = 20_000;
const ROUNDS = 5;
const MANY = 1_000_000;

/** What is promised of the journal. */
const AIMS = { recorded: 150, claims: 10_000, open: 50 };

/** Measures what the journal costs. */
export async function journalTables(): Promise<Table[]> {
    const folder = mkdtempSync(join(tmpdir(), 'pinstripe-bot-bench-'));
    try {
        const { plain, memory, file } = await measureRuns(join(folder, 'runs.db'));
        const alone = await measureClaims(join(folder, 'claims.db'));
        const four = await measureClaimsOfFour(join(folder, 'four.db'));
        const { perHundredThousand, open } = await measureMany(join(folder, 'many.db'));
        return [
            {
                title: 'The journal',
                columns: ['', 'measured', 'aim'],
                rows: [
                    ['a run that is claimed in memory, and not recorded, median', show(plain, 'µs'), '-'],
                    ['recording in memory adds', show(memory - plain, 'µs'), '-'],
                    ['recording in a file adds', show(file - plain, 'µs'), `< ${AIMS.recorded} µs`],
                    ['claims a second, one process', show(alone, ''), `≥ ${show(AIMS.claims, '')}`],
                    ['claims a second, four processes together', show(four, ''), '-'],
                    ['size of 100,000 runs', show(perHundredThousand / 1e6, 'MB'), '-'],
                    [
                        `opening one of ${MANY.toLocaleString('en')} runs, median`,
                        show(open, 'ms'),
                        `< ${AIMS.open} ms`,
                    ],
                ],
                notes: ['The disk is waited for at checkpoints only (WAL, synchronous=NORMAL).'],
            },
        ];
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

async function measureRuns(path: string): Promise<{ plain: number; memory: number; file: number }> {
    BackgroundJob.register('nothing', { multiTenant: false, run() {} });
    const bots = {
        plain: botWith(new ForgetfulEngine(), false),
        memory: botWith(new EmbeddedEngine(), false),
        file: botWith(new EmbeddedEngine(), { filename: path }),
    };
    const times = { plain: [] as number[], memory: [] as number[], file: [] as number[] };
    // In turns, so that a warm-up or a slow moment is everybody's.
    for (let index = -500; index < RUNS; index++) {
        for (const kind of ['plain', 'memory', 'file'] as const) {
            const start = performance.now();
            await bots[kind].runBackgroundJob('nothing');
            if (index >= 0) times[kind].push((performance.now() - start) * 1000);
        }
    }
    for (const bot of Object.values(bots)) await bot.stop();
    return { plain: median(times.plain), memory: median(times.memory), file: median(times.file) };
}

function botWith(engine: Engine, journal: BotConfig['journal']): Bot {
    return new Bot({
        engine,
        environment: 'production',
        config: async () => ({ log: 'silent', journal }),
    });
}

async function measureClaims(path: string): Promise<number> {
    const journal = await Journal.open({ path, required: true, trouble: () => {}, restore: () => {} });
    const owner = createOwner();
    const perSecond: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now();
        for (let index = 0; index < CLAIMS / ROUNDS; index++) {
            const run = benchRun('send-digests', round * CLAIMS + index);
            const rules = { at: Date.now(), isExclusive: false };
            await journal.write((database) => claimRun(database, run, owner, rules));
        }
        perSecond.push(CLAIMS / ROUNDS / ((performance.now() - start) / 1000));
    }
    await journal.close();
    return median(perSecond);
}

async function measureClaimsOfFour(path: string): Promise<number> {
    const each = CLAIMS / 4;
    const startAt = Date.now() + 1_500;
    const times = await Promise.all(
        [0, 1, 2, 3].map(async (index) => {
            const child = fork(fileURLToPath(new URL('./claim_worker.js', import.meta.url)), [
                path,
                `send-digests-${index}`,
                String(each),
                String(startAt),
            ]);
            const [time] = (await once(child, 'message')) as [number];
            return time;
        }),
    );
    return CLAIMS / (Math.max(...times) / 1000);
}

async function measureMany(path: string): Promise<{ perHundredThousand: number; open: number }> {
    const size = () => statSync(path).size;
    const { database, guard } = await openFile(path, () => {});
    fillJournal(database, 0, 100_000);
    database.statement('PRAGMA wal_checkpoint(TRUNCATE)').get([]);
    const perHundredThousand = size();
    fillJournal(database, 100_000, MANY);
    database.close();
    guard?.close();
    const times: number[] = [];
    for (let round = 0; round < 7; round++) {
        const start = performance.now();
        const journal = await Journal.open({ path, required: true, trouble: () => {}, restore: () => {} });
        await journal.write((opened) =>
            claimRun(opened, benchRun('another', round), createOwner(), { at: 0, isExclusive: true }),
        );
        times.push(performance.now() - start);
        await journal.close();
    }
    return { perHundredThousand, open: median(times) };
}
