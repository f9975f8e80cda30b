import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerOf } from './child.js';
import type { LatenessFigures } from './measure_lateness.js';
import { show, type Table } from './table.js';

const CONTENDERS = ['pinstripe-bot', 'pinstripe', 'croner', 'node-cron', 'cron', 'node-schedule'];
const SECONDS = process.env['BENCH_SECONDS'] ?? '300';
const SHARES = [0.5, 0.99, 1];

/** How many times a p99 of the peers ours may be. */
const AIM = 1.5;

/** Measures how long after its second each run starts, with 100 every-second schedules, one contender after another. */
export async function latenessTables(): Promise<Table[]> {
    const folder = mkdtempSync(join(tmpdir(), 'pinstripe-bot-bench-'));
    try {
        const figures = new Map<string, LatenessFigures>();
        for (const name of CONTENDERS)
            figures.set(
                name,
                await answerOf<LatenessFigures>('./measure_lateness.js', name, SECONDS, folder),
            );
        return [tableOf(figures)];
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

function tableOf(figures: ReadonlyMap<string, LatenessFigures>): Table {
    const p99 = (name: string, which: keyof LatenessFigures) =>
        percentile(figures.get(name)?.[which] ?? [], 0.99);
    const early = (all: readonly number[]) => all.filter((lateness) => lateness < 0).length;
    const peers = CONTENDERS.filter((name) => name !== 'pinstripe-bot');
    const punctual = peers.filter((name) => early(figures.get(name)?.all ?? []) === 0);
    const best = Math.min(...punctual.map((name) => p99(name, 'first')));
    const aim = (ours: number, theirs: number, whose: string) =>
        `at most ${AIM} times that of ${whose} (${show(theirs, 'ms')}): ` +
        `${(ours / theirs).toFixed(2)} times, ${ours <= AIM * theirs ? 'met' : '**not met**'}`;
    return {
        title: `Lateness over ${SECONDS} s with 100 every-second schedules`,
        columns: [
            '',
            ...['first', 'all'].flatMap((which) => ['p50', 'p99', 'max'].map((share) => `${which} ${share}`)),
            'early',
            'runs',
        ],
        rows: [...figures].map(([name, { first, all }]) => [
            name,
            ...SHARES.map((share) => show(percentile(first, share), 'ms')),
            ...SHARES.map((share) => show(percentile(all, share), 'ms')),
            early(all).toLocaleString('en'),
            all.length.toLocaleString('en'),
        ]),
        notes: [
            '`first` is the first run of each second, `all` are all runs. Ours are recorded in a file, with one run at a time.',
            `Aims: the p99 of \`first\` ${aim(p99('pinstripe-bot', 'first'), best, 'the best peer that starts nothing early')}; ` +
                `the p99 of \`all\` ${aim(p99('pinstripe-bot', 'all'), p99('croner', 'all'), 'croner, which records nothing')}.`,
        ],
    };
}

function percentile(numbers: readonly number[], share: number): number {
    const sorted = [...numbers].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
