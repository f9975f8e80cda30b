import { describeCrontab } from '../schedule/crontab_words.js';
import type { Schedule } from '../schedule/schedule.js';
import { keepTogether } from '../text/paragraph.js';
import { printable } from '../text/printable.js';
import { processTimezone } from '../time/process_timezone.js';

/**
 * Writes a schedule for people, with its zone where that is not the process's.
 *
 * @param longestArgs in characters: more of its args is not shown
 * @returns `'0 2 * * * (at 02:00, every day, Europe/London) ["all"]'`
 */
export async function describeSchedule(schedule: Schedule, longestArgs = Infinity): Promise<string> {
    const { crontab, timezone, args } = schedule;
    const meaning = await describeCrontab(crontab);
    const notes = [
        meaning === crontab ? '' : lowerFirst(meaning),
        timezone === undefined || timezone === processTimezone() ? '' : timezone,
    ].filter(Boolean);
    const given = args.length > 0 ? printable(JSON.stringify(args)) : '';
    return [
        keepTogether(crontab),
        notes.length > 0 ? `(${notes.join(', ')})` : '',
        given.length > longestArgs ? `${given.slice(0, longestArgs - 1)}…` : given,
    ]
        .filter(Boolean)
        .join(' ');
}

/** For words that go on in a sentence. */
export function lowerFirst(words: string): string {
    return words.charAt(0).toLowerCase() + words.slice(1);
}

/** A schedule's next slots, in order; all times are unix seconds. */
export function nextSlots(schedule: Schedule, now: number, count: number): number[] {
    const slots: number[] = [];
    while (slots.length < count) {
        const slot = schedule.next(slots.at(-1) ?? now);
        if (slot === undefined) break;
        slots.push(slot);
    }
    return slots;
}
