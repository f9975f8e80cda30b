import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../lib/engines/embedded/database.js';
import { SqliteLookups } from '../lib/engines/embedded/lookups.js';
import { createTables } from '../lib/engines/embedded/schema.js';
import type { History } from '../lib/runs/history.js';
import { median } from './stopwatch.js';
import type { Table } from './table.js';

const JOBS = 500;
const RUNS = 1_000_000;

/** 2025-11-24, in unix seconds. */
const START = 1_764_000_000;

/** What the dashboard asks of a journal with a million runs, and how long its overview takes the processor. */
export async function dashboardTables(): Promise<Table[]> {
    const folder = await mkdtemp(join(tmpdir(), 'pinstripe-bot-bench-'));
    try {
        await writeFile(join(folder, 'package.json'), '{ "name": "bench", "type": "module" }');
        process.chdir(folder);
        const database = new Database(join(folder, 'bot.db'));
        database.useWriteAheadLog();
        database.transaction(() => createTables(database));
        database.transaction(fill);
        const look = async <T>(work: (database: Database) => T) => work(database);
        const history: History = new SqliteLookups(true, look);
        const { bot } = await botWithJobs();
        const survey = await bot.survey();
        const { overviewPage } = await import('../lib/dashboard/overview_page.js');
        const { layout } = await import('../lib/dashboard/page.js');
        const request = {
            bot,
            survey,
            history,
            root: folder,
            base: '/bot',
            path: '',
            isJson: false,
            mayAct: true,
            query: {},
            hideArgs: [],
            by: undefined,
        };
        const overview = async () => layout('/bot', '', await overviewPage({ ...request, now: Date.now() }));
        const names = survey.plans.map(({ name }) => name);
        return [
            {
                title: `The dashboard: ${JOBS} jobs, ${RUNS.toLocaleString('en')} runs`,
                columns: ['', 'processor time'],
                rows: [
                    ['the overview', await timed(overview)],
                    ['what tells that nothing is new', await timed(() => history.version(names))],
                    [
                        'how 500 jobs are doing, for JSON and commands',
                        await timed(() => history.statusOf(names)),
                    ],
                ],
            },
        ];
    } finally {
        process.chdir(tmpdir());
        await rm(folder, { recursive: true });
    }
}

async function botWithJobs() {
    const { BackgroundJob } = await import('../lib/jobs/background_job.js');
    const { Bot } = await import('../lib/scheduler/bot.js');
    const job = {
        description: 'Does something',
        meta(this: { schedule(crontab: string): void }) {
            this.schedule('* * * * *');
        },
        run() {},
    };
    for (let index = 0; index < JOBS; index++) BackgroundJob.register(`job-${index}`, job);
    return { bot: new Bot({ config: async () => ({ timezone: 'Europe/London' }) }) };
}

function fill(database: Database): void {
    database.exec(`
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${RUNS - 1})
        INSERT INTO bot_runs (id, kind, state, job, schedule, args, slot, origin, lane, holds, overlap, missed, catches_up,
            batch, order_at, position, run_at, attempt, started_at, ended_at, process, host, pid)
        SELECT 'id-' || i, 'run', iif(i % 97, 'succeeded', 'failed'), 'job-' || (i % ${JOBS}), '* * * * *', '[]',
            ${START} + i / ${JOBS} * 60, 'schedule', 'lane-' || (i % ${JOBS}), 1, 'skip', 'once', 0, 1, 1, 0,
            (${START} + i / ${JOBS} * 60) * 1000, 1, (${START} + i / ${JOBS} * 60) * 1000 + 5,
            (${START} + i / ${JOBS} * 60) * 1000 + 5 + i % 3000, 'p', 'h', 1 FROM n`);
}

async function timed(work: () => Promise<unknown>): Promise<string> {
    await work();
    const times: number[] = [];
    for (let round = 0; round < 9; round++) {
        const before = process.cpuUsage();
        await work();
        const { user, system } = process.cpuUsage(before);
        times.push((user + system) / 1000);
    }
    return `${median(times).toFixed(1)} ms`;
}
