import { type Crontab, readCrontab } from './crontab.js';
import { type Field, valuesOf } from './crontab_field.js';

/** cronstrue can add "every day" itself (`verbose`), but then also says "every hour, every day". */
const TIMES_ALONE = /^At [\d:, and]+$/;

/** Says what a valid crontab means: `'At 02:00, every day'`; the crontab itself if there are no words for it. */
export async function describeCrontab(crontab: string): Promise<string> {
    const read = readCrontab(crontab);
    if (!hasWords(read)) return crontab;
    // Loaded by the first call, because few processes need it.
    const { default: cronstrue } = await import('cronstrue');
    const words = cronstrue.toString(wordable(read), {
        use24HourTimeFormat: true,
        logicalAndDayFields: read.days === 'both',
    });
    if (TIMES_ALONE.test(words)) return `${words}, every day`;
    return read.days === 'either' ? words.replace(', and on ', ', and also on ') : words;
}

/** Whether cronstrue gets it right. */
function hasWords({ second, minute, dayOfMonth, dayOfWeek, days }: Crontab): boolean {
    const marks = dayOfWeek.items.map(({ mark }) => mark);
    const isNth = marks.some((mark) => mark.startsWith('#'));
    const isListOfW = dayOfMonth.items.length > 1 && dayOfMonth.items.some(({ mark }) => mark === 'W');
    const isFullHour = minute.values.join() === '0' && second.values.length > 1;
    const isMixed = isNth && marks.includes('');
    return !(isListOfW || isFullHour || isMixed || (days === 'either' && marks.some(Boolean)));
}

/**
 * Writes a crontab in a form that cronstrue describes correctly: in numbers, without fields that only look restricted, steps
 * that start over early, and items that repeat others.
 */
function wordable({ second, minute, hour, dayOfMonth, month, dayOfWeek, days }: Crontab): string {
    const isDaily = days === 'either' && (dayOfMonth.isFull || dayOfWeek.isFull);
    const hasDay = !dayOfMonth.isFull && !isDaily;
    // "Every 2 months" suggests once in each, and "1 through 5" beside a day of the month suggests that both have to match.
    const months = hasDay || !hasStep(month) ? ranges(month, 12) : list(month);
    const weekdays = hasDay || hasStep(dayOfWeek) ? list(dayOfWeek) : ranges(dayOfWeek, 7);
    return [
        ranges(second, 60),
        ranges(minute, 60),
        ranges(hour, 24),
        hasDay ? ranges(dayOfMonth, 31) : '*',
        months,
        isDaily ? '*' : weekdays,
    ].join(' ');
}

function ranges(field: Field, size: number): string {
    const { items, values, isFull } = field;
    if (isFull) return '*';
    const unmarked = items.filter(({ mark }) => mark === '');
    const [first] = unmarked;
    if (first?.step !== undefined && first.step > 1 && items.length === 1 && values.length > 1) {
        const { from, to, step } = first;
        const isEven = field.step !== undefined && (size === 31 || size % step === 0);
        return `${isEven ? '*' : `${from}-${to}`}/${step}`;
    }
    const picked = unmarked.flatMap((item) => valuesOf(item));
    if (hasStep(field) || picked.length > values.length) return list(field);
    // cronstrue sorts a list: written as 7, a Sunday stays after Saturday.
    const texts = unmarked.map(({ from, to }, index) => {
        if (from < to) return `${from}-${to}`;
        return size === 7 && from === 0 && index > 0 ? '7' : `${from}`;
    });
    return [...texts, ...marked(field)].join();
}

function list(field: Field): string {
    return field.isFull ? '*' : [...field.values, ...marked(field)].join();
}

function marked({ items }: Field): string[] {
    return items
        .filter(({ mark }) => mark !== '')
        .flatMap((item) =>
            item.from === item.to ? item.plain : valuesOf(item, 7).map((value) => `${value}${item.mark}`),
        );
}

function hasStep({ items }: Field): boolean {
    return items.some(({ step = 1 }) => step > 1);
}
