import { answerOf } from './child.js';
import type { LatenessFigures } from './measure_lateness.js';
import { show, type Table } from './table.js';

const CONTENDERS = ['pinstripe-bot', 'pinstripe', 'croner', 'node-cron', 'cron', 'node-schedule'];
const SECONDS = process.env['BENCH_SECONDS'] ?? '60';

/** Measures how long after its second each run starts, with 100 every-second schedules, one contender after another. */
export async function latenessTables(): Promise<Table[]> {
    const rows: string[][] = [];
    /** The p99 of the first run of each second, of those that start nothing early. */
    const punctual = new Map<string, number>();
    for (const contender of CONTENDERS) {
        const { first, all } = await answerOf<LatenessFigures>('./measure_lateness.js', contender, SECONDS);
        if (all.every((lateness) => lateness >= 0)) punctual.set(contender, percentile(first, 0.99));
        rows.push([
            contender,
            ...[0.5, 0.99, 1].map((share) => show(percentile(first, share), 'ms')),
            ...[0.5, 0.99, 1].map((share) => show(percentile(all, share), 'ms')),
            all.filter((lateness) => lateness < 0).length.toLocaleString('en'),
            all.length.toLocaleString('en'),
        ]);
    }
    const ours = punctual.get('pinstripe-bot') ?? Number.NaN;
    punctual.delete('pinstripe-bot');
    const best = Math.min(...punctual.values());
    return [
        {
            title: `Lateness over ${SECONDS} s with 100 every-second schedules`,
            columns: [
                '',
                'first p50',
                'first p99',
                'first max',
                'all p50',
                'all p99',
                'all max',
                'early',
                'runs',
            ],
            rows,
            notes: [
                '`first` is the first run of each second, `all` are all runs; a negative figure is before the second. ' +
                    `Aim: the p99 of the first run at most that of the best peer that starts nothing early (${show(best, 'ms')}): ${ours <= best ? 'met' : '**not met**'}.`,
            ],
        },
    ];
}

function percentile(numbers: readonly number[], share: number): number {
    const sorted = [...numbers].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
