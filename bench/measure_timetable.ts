import { Cron } from 'croner';
import TinyQueue from 'tinyqueue';
import { createSchedule } from '../lib/schedule/schedule.js';
import { Timetable } from '../lib/schedule/timetable.js';
import type { Figures } from './figures.js';
import { BUSIEST_SECOND, byJob, type MixedSchedule } from './schedule_mix.js';
import { heapInUse, median, processorTimeOf, timeOf } from './stopwatch.js';

const START = BUSIEST_SECOND - 3600;
const BUSY_ROUNDS = 9;
const QUIET_MINUTES = 500;

/** Measures our timetable: the registering, a quiet second, the busiest one, and the heap. */
export function measureTimetable(mix: readonly MixedSchedule[]): Figures {
    const jobs = byJob(mix);
    warmUp(mix);

    const heapBefore = heapInUse();
    const timetable = new Timetable(START);
    const register = processorTimeOf(() => fill(timetable, jobs));
    timetable.due(START + 1);
    const heap = (heapInUse() - heapBefore) / mix.length;

    const quiet = quietSecond(timetable);
    const busy: number[] = [];
    let due = 0;
    for (let round = 0; round < BUSY_ROUNDS; round++) {
        timetable.seek(BUSIEST_SECOND - 1);
        busy.push(processorTimeOf(() => (due = timetable.due(BUSIEST_SECOND).length)));
    }
    const calendars = distinctCalendars(mix);
    const busyCalendars = distinctCalendars([...timetable.due(BUSIEST_SECOND)]);
    return {
        register: (register * 1000) / mix.length,
        heap,
        quiet,
        busy: median(busy),
        due,
        baseline: {
            register: (makeEachCalendar(calendars) * 1000) / mix.length,
            busy: popEachCalendar(busyCalendars),
            calendars: calendars.length,
            busyCalendars: busyCalendars.length,
        },
    };
}

function fill(timetable: Timetable, jobs: ReadonlyMap<string, readonly MixedSchedule[]>): void {
    for (const [job, own] of jobs) {
        timetable.replace(
            job,
            own.map(({ crontab, timezone, customer }) => createSchedule(job, [crontab, customer], timezone)),
        );
    }
}

function quietSecond(timetable: Timetable): number {
    let total = 0;
    for (let minute = 0; minute < QUIET_MINUTES; minute++) {
        const from = START + 60 * (minute % 50);
        timetable.seek(from);
        total += timeOf(() => {
            for (let second = from + 1; second < from + 60; second++) timetable.due(second);
        });
    }
    return total / (QUIET_MINUTES * 59);
}

type Calendar = Pick<MixedSchedule, 'crontab' | 'timezone'>;

function distinctCalendars(schedules: readonly Calendar[]): Calendar[] {
    return [...new Map(schedules.map((one) => [`${one.timezone} ${one.crontab}`, one])).values()];
}

/** Milliseconds of the processor to make each calendar once, with its first slot. */
function makeEachCalendar(calendars: readonly Calendar[]): number {
    const after = new Date(START * 1000);
    return processorTimeOf(() => {
        for (const calendar of calendars) cronOf(calendar).nextRun(after);
    });
}

/** Milliseconds of the processor to take each due calendar off a heap and to ask croner for its next slot. */
function popEachCalendar(calendars: readonly Calendar[]): number {
    const crons = calendars.map(cronOf);
    const after = new Date(BUSIEST_SECOND * 1000);
    const rounds = Array.from({ length: BUSY_ROUNDS }, () => {
        const queue = new TinyQueue(
            crons.map((cron) => ({ cron, next: BUSIEST_SECOND })),
            (a, b) => a.next - b.next,
        );
        return processorTimeOf(() => {
            for (let top = queue.pop(); top !== undefined; top = queue.pop()) top.cron.nextRun(after);
        });
    });
    return median(rounds);
}

function cronOf({ crontab, timezone }: Calendar): Cron {
    return new Cron(crontab, {
        fixedTimeRule: 'no-wildcard',
        ...(timezone === undefined ? {} : { timezone }),
    });
}

/** So that neither side of the comparison is the one to warm up croner. */
function warmUp(mix: readonly MixedSchedule[]): void {
    const after = new Date(START * 1000);
    for (const calendar of mix.slice(0, 1000)) cronOf(calendar).nextRun(after);
}
