import fc from 'fast-check';
import type { Crontab, Day, DayField, Field } from './crontab_oracle.js';

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Crontabs of five or six fields, biased towards the hours in which clocks change. */
export const crontabs: fc.Arbitrary<Crontab> = fc
    .record({
        seconds: fc.oneof(
            { arbitrary: fc.constant<Field>({ text: '', values: new Set([0]) }), weight: 5 },
            { arbitrary: items(0, 59), weight: 3 },
            { arbitrary: anyField(0, 59), weight: 1 },
        ),
        minutes: fc.oneof({ arbitrary: items(0, 59), weight: 3 }, { arbitrary: anyField(0, 59), weight: 2 }),
        hours: fc.oneof(
            { arbitrary: nightHours(), weight: 4 },
            { arbitrary: items(0, 23), weight: 1 },
            { arbitrary: anyField(0, 23), weight: 2 },
        ),
        daysOfMonth: dayOfMonth(),
        months: fc.oneof(
            { arbitrary: star(1, 12), weight: 4 },
            { arbitrary: anyField(1, 12, MONTHS), weight: 1 },
        ),
        daysOfWeek: dayOfWeek(),
    })
    .map((fields) => ({
        ...fields,
        text: [
            fields.seconds,
            fields.minutes,
            fields.hours,
            fields.daysOfMonth,
            fields.months,
            fields.daysOfWeek,
        ]
            .map(({ text }) => text)
            .join(' ')
            .trim(),
    }));

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
    return fc.oneof(
        { arbitrary: value.map((one) => ({ text: show(one), values: new Set([one]) })), weight: 3 },
        {
            arbitrary: fc.tuple(value, value).map(([a, b]) => {
                const [from, to] = a < b ? [a, b] : [b, a];
                const text = from === to ? show(from) : `${show(from)}-${show(to)}`;
                return { text, values: sequence(from, to, 1) };
            }),
            weight: 1,
        },
    );
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

function nightHours(): fc.Arbitrary<Field> {
    return fc
        .uniqueArray(fc.constantFrom(23, 0, 1, 2, 3, 4), { minLength: 1, maxLength: 3 })
        .map((hours) => ({ text: hours.join(','), values: new Set(hours) }));
}

function dayOfMonth(): fc.Arbitrary<DayField> {
    const number = fc.integer({ min: 1, max: 31 });
    return fc.oneof(
        { arbitrary: fc.constant<DayField>({ text: '*', includes: () => true }), weight: 6 },
        { arbitrary: anyField(1, 31).map(byNumber), weight: 2 },
        {
            arbitrary: fc.constant<DayField>({ text: 'L', includes: (day) => day.day === day.daysInMonth }),
            weight: 1,
        },
        { arbitrary: fc.constant<DayField>({ text: 'LW', includes: isLastWorkday }), weight: 1 },
        {
            arbitrary: number.map((near) => ({
                text: `${near}W`,
                includes: (day: Day) => isWorkdayNearest(day, near),
            })),
            weight: 1,
        },
    );
}

function dayOfWeek(): fc.Arbitrary<DayField> {
    const weekday = fc.integer({ min: 0, max: 6 });
    const plain = anyField(0, 6, WEEKDAYS).map(
        ({ text, values }): DayField => ({ text, includes: (day) => values.has(day.weekday) }),
    );
    return fc.oneof(
        { arbitrary: fc.constant<DayField>({ text: '*', includes: () => true }), weight: 6 },
        { arbitrary: plain, weight: 2 },
        {
            arbitrary: plain
                .filter(({ text }) => text !== '*')
                .map((field) => ({ ...field, text: `+${field.text}` })),
            weight: 1,
        },
        { arbitrary: fc.constant<DayField>({ text: '7', includes: (day) => day.weekday === 0 }), weight: 1 },
        {
            arbitrary: fc.tuple(weekday, fc.integer({ min: 1, max: 5 })).map(([of, nth]) => ({
                text: `${of}#${nth}`,
                includes: (day: Day) => day.weekday === of && Math.ceil(day.day / 7) === nth,
            })),
            weight: 1,
        },
        {
            arbitrary: weekday.map((of) => ({
                text: `${WEEKDAYS[of]}L`,
                includes: (day: Day) => day.weekday === of && day.day > day.daysInMonth - 7,
            })),
            weight: 1,
        },
    );
}

function byNumber({ text, values }: Field): DayField {
    return { text, includes: (day) => values.has(day.day) };
}

function isLastWorkday(day: Day): boolean {
    return isWorkday(day) && daysAfter(day).every((later) => !isWorkday(later));
}

// Quartz: the weekday nearest to the day in the same month; a Saturday goes to Friday, a Sunday to Monday.
function isWorkdayNearest(day: Day, near: number): boolean {
    if (near > day.daysInMonth) return false;
    const weekday = (((day.weekday + near - day.day) % 7) + 7) % 7;
    if (weekday === 6) return day.day === (near === 1 ? 3 : near - 1);
    if (weekday === 0) return day.day === (near === day.daysInMonth ? near - 2 : near + 1);
    return day.day === near;
}

function isWorkday({ weekday }: Day): boolean {
    return weekday !== 0 && weekday !== 6;
}

function daysAfter(day: Day): Day[] {
    return Array.from({ length: day.daysInMonth - day.day }, (_, index) => ({
        ...day,
        day: day.day + index + 1,
        weekday: (day.weekday + index + 1) % 7,
    }));
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
