import { flawsOfSchedule } from '../check/schedule_findings.js';
import { loadConfig } from '../config/config.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import { BadScheduleError, createSchedule, type Schedule } from '../schedule/schedule.js';
import { checkTimezone } from '../schedule/timezone.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { paint } from '../text/paint.js';
import { paragraph } from '../text/paragraph.js';
import { formatUniqueMoment } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { lowerFirst, nextSlots } from './schedules.js';

const EVERY_MINUTE = '* * * * *';

/** A zone and six fields; a star without quotes makes more of them, the names of the files around. */
const MOST_WORDS = 7;

/** How many slots are named. */
const SLOTS = 2;

/** The schedule that a new job file is to have. */
export interface PlannedSchedule {
    /** As somebody wrote it. */
    readonly crontab: string;
    /** When that is: `at 02:00, every day`. */
    readonly words: string;
    /** The zone that the file sets; undefined: none. */
    readonly timezone: string | undefined;
    readonly schedule: Schedule;
}

/**
 * Checks what somebody wants for the schedule of a new job, before anything is written.
 *
 * @throws BadOptionError
 */
export async function planSchedule(
    job: string,
    { crontab = EVERY_MINUTE, timezone }: { crontab?: string; timezone?: string | undefined },
): Promise<PlannedSchedule> {
    if (timezone !== undefined) {
        blaming(`--timezone ${JSON.stringify(timezone)} `, '', () => checkTimezone(timezone));
    }
    const zone = timezone ?? (await loadConfig()).timezone;
    const hint =
        crontab.trim().split(/\s+/).length > MOST_WORDS
            ? `. In a shell it needs quotes: --schedule '30 6 * * 1-5'`
            : '';
    const schedule = blaming('--schedule ', hint, () => createSchedule(job, [crontab], zone));
    const meaning = await describeCrontab(schedule.crontab);
    const words = meaning === schedule.crontab ? 'as the crontab says' : lowerFirst(meaning);
    return { crontab: crontab.trim().replace(/\s+/g, ' '), words, timezone, schedule };
}

/** Says when a planned schedule runs, and what is probably not meant with it; `now` is in unix seconds. */
export function describePlan({ words, schedule }: PlannedSchedule, now: number, columns: number): string {
    const zone = schedule.timezone ?? processTimezone();
    const slots = nextSlots(schedule, now, SLOTS).map((slot) => formatUniqueMoment(slot, zone));
    const flaws = flawsOfSchedule(schedule, { timezone: zone, now });
    const paragraphs = [
        `Runs ${words} (${zone}): next ${slots.join(', then ')}.`,
        ...flaws.map(({ message, cure }) => `${paint.yellow('warning')} ${message}. Cure: ${cure}.`),
    ];
    return paragraphs.map((text) => paragraph(text, columns)).join('\n');
}

function blaming<Result>(before: string, after: string, read: () => Result): Result {
    try {
        return read();
    } catch (error) {
        throw error instanceof BadScheduleError
            ? new BadOptionError(`${before}${error.message}${after}`)
            : error;
    }
}
