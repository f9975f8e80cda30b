import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import { openFile } from '../lib/engines/embedded/file.js';
import { median } from './stopwatch.js';
import { show, type Table } from './table.js';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const REPETITIONS = Number(process.env['BENCH_REPETITIONS'] ?? 40);
const JOBS = 20;
const RUNS = 20_000;

/** What our list may take, against the framework's of its own jobs. */
const AIM = 1.3;

interface Contender {
    readonly name: string;
    readonly binary: string;
    readonly words: readonly string[];
    /** Whether the app imports pinstripe-bot. */
    readonly isWithPlugin: boolean;
}

const BASELINE: Contender = {
    name: 'pinstripe list-jobs',
    binary: 'pinstripe/cli.js',
    words: ['list-jobs'],
    isWithPlugin: true,
};

const CONTENDERS: readonly Contender[] = [
    { ...BASELINE, name: 'pinstripe list-jobs, in an app without pinstripe-bot', isWithPlugin: false },
    BASELINE,
    {
        name: 'pinstripe list-background-jobs',
        binary: 'pinstripe/cli.js',
        words: ['list-background-jobs'],
        isWithPlugin: true,
    },
    {
        name: 'pinstripe-bot list-background-jobs',
        binary: 'pinstripe-bot/dist/bin/pinstripe_bot.js',
        words: ['list-background-jobs'],
        isWithPlugin: true,
    },
];

/** Measures whole processes that list jobs, from their start to their end. */
export async function startUpTables(): Promise<Table[]> {
    const folder = mkdtempSync(join(tmpdir(), 'pinstripe-bot-bench-'));
    try {
        const apps = { with: join(folder, 'with'), without: join(folder, 'without') };
        await makeApp(apps.with, true);
        await makeApp(apps.without, false);
        const times = new Map(CONTENDERS.map(({ name }) => [name, [] as number[]]));
        // In turns, so that a slow moment is everybody's; the first round fills the caches of the machine.
        for (let round = -1; round < REPETITIONS; round++) {
            for (const contender of CONTENDERS) {
                const time = await timeOfProcess(
                    contender,
                    contender.isWithPlugin ? apps.with : apps.without,
                );
                if (round >= 0) times.get(contender.name)?.push(time);
            }
        }
        const middle = (name: string) => median(times.get(name) ?? []);
        const baseline = middle(BASELINE.name);
        return [
            {
                title: 'The start of a command',
                columns: ['', 'median', `over \`${BASELINE.name}\``],
                rows: CONTENDERS.map(({ name }) => [
                    `\`${name}\``.replace(/, (.*)`$/, '`, $1'),
                    show(middle(name), 'ms'),
                    `${(middle(name) / baseline).toFixed(2)} times`,
                ]),
                notes: [
                    `${JOBS} jobs, ${RUNS.toLocaleString('en')} runs in the journal, ${REPETITIONS} processes each. ` +
                        `Aim for \`list-background-jobs\`: at most ${AIM} times \`${BASELINE.name}\` in the same app.`,
                ],
            },
        ];
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

async function timeOfProcess({ name, binary, words }: Contender, app: string): Promise<number> {
    const start = performance.now();
    const child = spawn(process.execPath, [join(app, 'node_modules', binary), ...words], {
        cwd: app,
        env: { ...process.env, TZ: 'UTC', NODE_ENV: 'development', NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.resume();
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
    return performance.now() - start;
}

async function makeApp(root: string, isWithPlugin: boolean): Promise<void> {
    const job = (index: number) =>
        `export default { meta(){ this.schedule('${index} */2 * * *'); }, run(){} };`;
    const importAll = "import { importAll } from 'pinstripe';\nimportAll(import.meta.url);\n";
    const files: Record<string, string> = {
        'package.json': JSON.stringify({ name: 'bench', type: 'module', exports: { '.': './lib/index.js' } }),
        'lib/index.js': isWithPlugin ? `import 'pinstripe-bot';\n${importAll}` : importAll,
        'lib/jobs/_file_importer.js': "export { Job as default } from 'pinstripe';\n",
    };
    for (let index = 0; index < JOBS; index++)
        files[`lib/jobs/send_digests_${index}.js`] = 'export default { run(){} };';
    if (isWithPlugin) {
        files['lib/background_jobs/_file_importer.js'] =
            "export { BackgroundJob as default } from 'pinstripe-bot';\n";
        for (let index = 0; index < JOBS; index++)
            files[`lib/background_jobs/send_digests_${index}.js`] = job(index);
    }
    for (const [path, content] of Object.entries(files)) await fs.outputFile(join(root, path), content);
    symlinkSync(join(PACKAGE, 'node_modules'), join(root, 'node_modules'), 'dir');
    if (!isWithPlugin) return;
    const { database } = openFile(join(root, 'bot_development.db'));
    // A year of runs of each job, every two hours.
    database.exec(`
        WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${RUNS})
        INSERT INTO bot_runs (id, kind, state, job, schedule, args, slot, origin, lane, holds, overlap, missed, catches_up,
            batch, order_at, position, run_at, attempt, started_at, ended_at, process, host, pid)
        SELECT 'run-' || n, 'run', 'succeeded', 'send-digests-' || (n % ${JOBS}), '0 */2 * * *', '[]', 1767225600 + n * 360,
            'schedule', 'lane-' || (n % ${JOBS}), 1, 'skip', 'once', 0, n, n, 0, 1767225600000 + n * 360000, 1,
            1767225600000 + n * 360000, 1767225600005 + n * 360000, 'bench', 'bench', 1 FROM counted`);
    database.close();
}
