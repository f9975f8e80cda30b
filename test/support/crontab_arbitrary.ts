import fc from 'fast-check';
import type { Crontab, Day, DayField, Field } from './crontab_oracle.js';

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** One of several, the more often the greater its weight. */
const mix = <T>(...parts: [weight: number, arbitrary: fc.Arbitrary<T>][]): fc.Arbitrary<T> =>
    fc.oneof(...parts.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const nightHours = fc
    .uniqueArray(fc.constantFrom(23, 0, 1, 2, 3, 4), { minLength: 1, maxLength: 3 })
    .map((hours): Field => ({ text: hours.join(','), values: new Set(hours) }));

/** Crontabs of five or six fields, biased towards the hours in which clocks change. */
export const crontabs: fc.Arbitrary<Crontab> = fc
    .record({
        seconds: mix(
            [5, fc.constant<Field>({ text: '', values: new Set([0]) })],
            [3, items(0, 59)],
            [1, anyField(0, 59)],
        ),
        minutes: mix([3, items(0, 59)], [2, anyField(0, 59)]),
        hours: mix([4, nightHours], [1, items(0, 23)], [2, anyField(0, 23)]),
        daysOfMonth: dayOfMonth(),
        months: mix([4, star(1, 12)], [1, anyField(1, 12, MONTHS)]),
        daysOfWeek: dayOfWeek(),
    })
    .map((fields) => {
        const { seconds, minutes, hours, daysOfMonth, months, daysOfWeek } = fields;
        const inOrder = [seconds, minutes, hours, daysOfMonth, months, daysOfWeek];
        const words = inOrder.map(({ text }) => text);
        return { ...fields, text: words.join(' ').trim() };
    });

function star(low: number, high: number): fc.Arbitrary<Field> {
    return fc.constant({ text: '*', values: sequence(low, high, 1) });
}

/** `5`, `1-4`, `1-4,9` */
function items(low: number, high: number, words?: readonly string[]): fc.Arbitrary<Field> {
    return fc.array(item(low, high, words), { minLength: 1, maxLength: 3 }).map(union);
}

function item(low: number, high: number, words?: readonly string[]): fc.Arbitrary<Field> {
    const show = (value: number) => words?.[value - low] ?? String(value);
    const value = fc.integer({ min: low, max: high });
    const range = fc.tuple(value, value).map(([a, b]) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        const text = from === to ? show(from) : `${show(from)}-${show(to)}`;
        return { text, values: sequence(from, to, 1) };
    });
    return mix([3, value.map((one) => ({ text: show(one), values: new Set([one]) }))], [1, range]);
}

function anyField(low: number, high: number, words?: readonly string[]): fc.Arbitrary<Field> {
    const step = fc.integer({ min: 1, max: high - low + 1 });
    return fc.oneof(
        star(low, high),
        items(low, high, words),
        step.map((by) => ({ text: `*/${by}`, values: sequence(low, high, by) })),
        fc
            .tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }), step)
            .map(([a, b, by]) => {
                const [from, to] = a < b ? [a, b] : [b, a];
                return { text: `${from}-${to}/${by}`, values: sequence(from, to, by) };
            }),
    );
}

function day(text: string, includes: DayField['includes']): DayField {
    return { text, includes };
}

function dayOfMonth(): fc.Arbitrary<DayField> {
    return mix(
        [6, fc.constant(day('*', () => true))],
        [2, anyField(1, 31).map(({ text, values }) => day(text, (one) => values.has(one.day)))],
        [1, fc.constant(day('L', ({ day, daysInMonth }) => day === daysInMonth))],
        [1, fc.constant(day('LW', isLastWorkday))],
        [
            1,
            fc
                .integer({ min: 1, max: 31 })
                .map((near) => day(`${near}W`, (one) => isWorkdayNearest(one, near))),
        ],
    );
}

function dayOfWeek(): fc.Arbitrary<DayField> {
    const weekday = fc.integer({ min: 0, max: 6 });
    const nth = fc.tuple(weekday, fc.integer({ min: 1, max: 5 }));
    const plain = anyField(0, 6, WEEKDAYS).map(({ text, values }) =>
        day(text, (one) => values.has(one.weekday)),
    );
    const both = plain
        .filter(({ text }) => text !== '*')
        .map((field) => ({ ...field, text: `+${field.text}` }));
    const last = (of: number, one: Day) => one.weekday === of && one.day > one.daysInMonth - 7;
    return mix(
        [6, fc.constant(day('*', () => true))],
        [2, plain],
        [1, both],
        [1, fc.constant(day('7', ({ weekday }) => weekday === 0))],
        [
            1,
            nth.map(([of, n]) =>
                day(`${of}#${n}`, (one) => one.weekday === of && Math.ceil(one.day / 7) === n),
            ),
        ],
        [1, weekday.map((of) => day(`${WEEKDAYS[of]}L`, (one) => last(of, one)))],
    );
}

function isLastWorkday({ day, weekday, daysInMonth }: Day): boolean {
    const left = daysInMonth - day;
    return weekday === 5 ? left <= 2 : left === 0 && weekday > 0 && weekday < 6;
}

// Quartz: the weekday nearest to the day in the same month; a Saturday goes to Friday, a Sunday to Monday.
function isWorkdayNearest(day: Day, near: number): boolean {
    if (near > day.daysInMonth) return false;
    const weekday = (((day.weekday + near - day.day) % 7) + 7) % 7;
    if (weekday === 6) return day.day === (near === 1 ? 3 : near - 1);
    if (weekday === 0) return day.day === (near === day.daysInMonth ? near - 2 : near + 1);
    return day.day === near;
}

function union(fields: readonly Field[]): Field {
    return {
        text: fields.map(({ text }) => text).join(','),
        values: new Set(fields.flatMap(({ values }) => [...values])),
    };
}

function sequence(from: number, to: number, by: number): Set<number> {
    const values = new Set<number>();
    for (let value = from; value <= to; value += by) values.add(value);
    return values;
}
