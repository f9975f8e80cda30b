import { startRedis } from '../test/support/redis_server.js';
import { answerOf } from './child.js';
import type { IdleFigures, SlotFigures, ThroughputFigures } from './measure_bullmq.js';
import { show, type Table } from './table.js';

/** What is aimed at: runs per second over raw BullMQ, and Redis commands per idle second beyond BullMQ's own. */
const AIMS = { allow: 0.6, lanes: 0.58, idle: 2, slot: 50 };

/** Measures the engine bullmq on a Redis of its own, without persistence: the disk is not what is compared. */
export async function bullmqTables(): Promise<Table[]> {
    const redis = await startRedis(['--appendonly', 'no']);
    const measure = <Figures>(what: string) => answerOf<Figures>('./measure_bullmq.js', redis.url, what);
    try {
        const throughput = await measure<ThroughputFigures>('throughput');
        const idle = await measure<IdleFigures>('idle');
        const slots = [...(await measure<SlotFigures>('slots'))].sort((a, b) => a - b);
        return [throughputTable(throughput), costTable(idle, slots)];
    } finally {
        await redis.stop('SIGKILL');
    }
}

function throughputTable({ raw, allow, lanes }: ThroughputFigures): Table {
    const row = (name: string, rate: number) => [name, show(rate, ''), (rate / raw).toFixed(2)];
    const verdict = (rate: number, aim: number) =>
        `at least ${aim}: ${rate / raw >= aim ? 'met' : '**not met**'}`;
    return {
        title: 'Runs through Redis',
        columns: ['', 'runs a second', 'over raw BullMQ'],
        rows: [
            row('raw BullMQ: `add`, and a worker that does an empty `Workspace.run`', raw),
            row("pinstripe-bot, `overlap: 'allow'`", allow),
            row("pinstripe-bot, `overlap: 'skip'`: with its lane", lanes),
        ],
        notes: [
            `Aims: with \`overlap: 'allow'\` ${verdict(allow, AIMS.allow)}; with lanes ${verdict(lanes, AIMS.lanes)}.`,
        ],
    };
}

function costTable({ raw, bot }: IdleFigures, slots: SlotFigures): Table {
    const beyond = bot - raw;
    const at = (share: number) => show(slots[Math.floor(slots.length * share)], 'ms');
    return {
        title: 'An idle second, and a slot',
        columns: ['', 'measured', 'aim'],
        rows: [
            ["Redis commands in an idle second, BullMQ's own", show(raw, ''), '-'],
            ['the same of a bot', show(bot, ''), '-'],
            ["a bot's, beyond BullMQ's own", show(beyond, ''), `at most ${AIMS.idle}`],
            ['from slot to start, p50', at(0.5), '-'],
            ['from slot to start, p99', at(0.99), `at most ${AIMS.slot} ms`],
        ],
        notes: [`${slots.length.toLocaleString('en')} runs of 20 every-second jobs, through one process.`],
    };
}
