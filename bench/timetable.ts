import { availableParallelism } from 'node:os';
import { answerOf } from './child.js';
import type { Figures } from './figures.js';
import { median } from './stopwatch.js';
import { show, type Table } from './table.js';

const OURS = 'pinstripe-bot';
const FRAMEWORK = 'pinstripe';
const CONTENDERS = [OURS, FRAMEWORK, 'croner', 'node-cron', 'cron', 'node-schedule'];
const COUNTS = [100, 1_000, 10_000, 100_000];

/** What is promised of the timetable with the largest mix. */
const AIMS = { quiet: 0.001, busy: 1.5, scan: 1000, heap: 1024, register: 1.3 };

/** Measures the timetable and the others, each with each number of schedules, one process after another. */
export async function timetableTables(): Promise<Table[]> {
    const tables: Table[] = [];
    let ours: Figures = {};
    let framework: Figures = {};
    for (const count of COUNTS) {
        const rows: string[][] = [];
        for (const contender of CONTENDERS) {
            const figures = await measureAlone(contender, count);
            if (contender === OURS) ours = figures;
            if (contender === FRAMEWORK) framework = figures;
            rows.push(rowOf(contender, figures));
        }
        tables.push({
            title: `${count.toLocaleString('en')} schedules`,
            columns: ['', 'register one', 'heap of one', 'a quiet second', 'the busiest second', 'due in it'],
            rows,
        });
    }
    return [...tables, aimsOf(ours, framework)];
}

/** Ours three times: it has aims to meet, and a single measurement is off by a third now and then. */
async function measureAlone(contender: string, count: number): Promise<Figures> {
    const once = () => answerOf<Figures>('./contender.js', contender, String(count));
    if (contender === OURS) return middle([await once(), await once(), await once()]);
    return once().catch((error: Error) => ({ broke: error.message }));
}

/** The middle one of each figure. */
function middle(figures: readonly Figures[]): Figures {
    const of = (figure: (one: Figures) => number | undefined) =>
        median(figures.map((one) => figure(one) ?? Number.NaN));
    return {
        register: of(({ register }) => register),
        heap: of(({ heap }) => heap),
        quiet: of(({ quiet }) => quiet),
        busy: of(({ busy }) => busy),
        due: of(({ due }) => due),
        baseline: {
            register: of(({ baseline }) => baseline?.register),
            busy: of(({ baseline }) => baseline?.busy),
            calendars: of(({ baseline }) => baseline?.calendars),
            busyCalendars: of(({ baseline }) => baseline?.busyCalendars),
        },
    };
}

function rowOf(contender: string, { register, heap, quiet, busy, due, broke }: Figures): string[] {
    return [
        contender,
        show(register, 'µs'),
        show(heap === undefined ? undefined : heap / 1024, 'kB'),
        broke ?? (quiet !== undefined && quiet < 0.1 ? show(quiet * 1000, 'µs') : show(quiet, 'ms')),
        show(busy, 'ms'),
        due === undefined ? '-' : due.toLocaleString('en'),
    ];
}

function aimsOf({ register, heap, quiet, busy, baseline }: Figures, framework: Figures): Table {
    if (
        register === undefined ||
        heap === undefined ||
        quiet === undefined ||
        busy === undefined ||
        baseline === undefined
    ) {
        throw new Error('the timetable was not measured');
    }
    const times = (value: number, of: number) => `${(value / of).toFixed(2)} times`;
    const verdict = (met: boolean) => (met ? 'yes' : '**no**');
    return {
        title: `The timetable and its aims, at ${COUNTS.at(-1)?.toLocaleString('en')} schedules`,
        columns: ['', 'aim', 'measured', 'met'],
        rows: [
            ['a quiet `due()`', 'at most 1 µs', show(quiet * 1000, 'µs'), verdict(quiet <= AIMS.quiet)],
            [
                'the busiest second, against one heap pop and one `nextRun` of a ready `Cron` for each due calendar',
                `at most ${AIMS.busy} times`,
                `${times(busy, baseline.busy)} (${show(busy, 'ms')}, ${show(baseline.busy, 'ms')})`,
                verdict(busy <= AIMS.busy * baseline.busy),
            ],
            [
                "the busiest second, against the framework's scan",
                `over ${AIMS.scan.toLocaleString('en')} times less`,
                `${((framework.busy ?? Number.NaN) / busy).toFixed(0)} times less`,
                verdict((framework.busy ?? 0) > AIMS.scan * busy),
            ],
            ['heap of a schedule', 'at most 1 kB', show(heap / 1024, 'kB'), verdict(heap <= AIMS.heap)],
            [
                'registering, against making each distinct calendar once with its first `nextRun`',
                `at most ${AIMS.register} times`,
                `${times(register, baseline.register)} (${show(register, 'µs')}, ${show(baseline.register, 'µs')})`,
                verdict(register <= AIMS.register * baseline.register),
            ],
        ],
        notes: [
            `There are ${baseline.calendars.toLocaleString('en')} distinct calendars (crontab and zone), ${baseline.busyCalendars.toLocaleString('en')} of them due in the busiest second. ` +
                `Measured on ${availableParallelism()} cores.`,
        ],
    };
}
