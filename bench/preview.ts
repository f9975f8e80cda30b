import { Cron } from 'croner';
import { Exceptions } from '../lib/schedule/exceptions.js';
import { previewDays } from '../lib/schedule/preview.js';
import { createSchedule } from '../lib/schedule/schedule.js';
import { median, processorTimeOf } from './stopwatch.js';
import { show, type Table } from './table.js';

/** Milliseconds of the processor. */
const AIM = 1_000;
const ROUNDS = 5;
const ZONE = 'Europe/London';
const [FROM, TO] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)];

/** Of fifty jobs, thirty are due each day, ten on weekdays, four each week, and six each hour. */
const CRONTABS = Array.from({ length: 50 }, (_, index) => {
    const [minute, hour] = [(index * 7) % 60, index % 24];
    if (index < 6) return `${minute} * * * *`;
    const weekday = index < 36 ? '*' : index < 46 ? '1-5' : index % 7;
    return `${minute} ${hour} * * ${weekday}`;
});

/** Measures the slots of a year, from the making of the schedules on, against croner alone. */
export async function previewTables(): Promise<Table[]> {
    const [ours, croners] = [preview, cronerAlone].map((walk) =>
        median(Array.from({ length: ROUNDS }, () => processorTimeOf(walk))),
    ) as [number, number];
    return [
        {
            title: `A preview of a year of ${CRONTABS.length} jobs with exceptions`,
            columns: ['', 'aim', 'measured', 'met'],
            rows: [
                [
                    `${preview().toLocaleString('en')} slots`,
                    `at most ${show(AIM, 'ms')}`,
                    show(ours, 'ms'),
                    ours <= AIM ? 'yes' : '**no**',
                ],
                [
                    'against croner alone, for the same schedules',
                    '-',
                    `${(ours / croners).toFixed(2)} times (${show(croners, 'ms')})`,
                    '-',
                ],
            ],
        },
    ];
}

function preview(): number {
    const except = new Exceptions([
        '2026-04-03/2026-04-06',
        '2026-12-25',
        (day: string) => day.endsWith('-13'),
    ]);
    const schedules = CRONTABS.map((crontab, index) =>
        createSchedule(`job-${index}`, [crontab], ZONE, except),
    );
    const days = previewDays(schedules, { from: FROM / 1000, to: TO / 1000 }, ZONE);
    return [...days].flatMap(({ entries }) => entries).reduce((sum, { count }) => sum + count, 0);
}

function cronerAlone(): void {
    const before = new Date(FROM - 1);
    for (const crontab of CRONTABS) {
        const cron = new Cron(crontab, { timezone: ZONE });
        for (let slot = cron.nextRun(before); slot && slot.getTime() < TO; ) slot = cron.nextRun(slot);
    }
}
