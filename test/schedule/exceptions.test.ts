import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Exceptions } from '../../lib/schedule/exceptions.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { Timetable } from '../../lib/schedule/timetable.js';

const DAY = 86_400;
/** 2026-12-20 00:00:00 UTC */
const START = Date.UTC(2026, 11, 20) / 1000;

describe('the setting `except`', () => {
    for (const { value, complaint } of [
        { value: '2026-12-25', complaint: /is not a list of days/ },
        { value: [], complaint: /is not a list of days/ },
        { value: [5], complaint: /has 5, which is neither a day like '2026-12-25' nor a function/ },
        { value: ['25.12.2026'], complaint: /has "25.12.2026", which is not a day/ },
        { value: ['2026-02-30'], complaint: /has "2026-02-30", which is not a day/ },
        { value: ['2026-12-31/'], complaint: /which is not a day/ },
        { value: ['2026-12-30/2026-12-31/2027-01-01'], complaint: /which is not a day/ },
        { value: ['2027-01-01/2026-12-31'], complaint: /which ends before it begins/ },
    ])
        test(`refuses ${JSON.stringify(value)}`, () => {
            assert.throws(() => new Exceptions(value), { name: 'TypeError', message: complaint });
        });

    test('takes out days, stretches with both of their ends, and what a function says', () => {
        const except = new Exceptions([
            '2026-12-25',
            '2026-12-31/2027-01-01',
            (day: string) => day.endsWith('-13'),
        ]);
        const out = ['2026-12-25', '2026-12-31', '2027-01-01', '2027-02-13'];
        const not = ['2026-12-24', '2026-12-26', '2026-12-30', '2027-01-02', '2026-12-14'];
        for (const day of out) assert.ok(except.has(day), day);
        for (const day of not) assert.ok(!except.has(day), day);
    });

    test('knows its last day, where no function goes on for ever', () => {
        const stretch = '2026-12-31/2027-01-01';
        assert.equal(new Exceptions(['2026-12-25', stretch]).lastDay, '2027-01-01');
        assert.equal(new Exceptions([stretch, () => true]).lastDay, undefined);
    });

    test('takes no day out for a function that throws or promises, and says so once', async () => {
        for (const rule of [
            () => {
                throw new Error('no calendar');
            },
            async () => true,
        ]) {
            const except = new Exceptions([rule]);
            const warned = once(process, 'warning');
            assert.equal(except.has('2026-12-25'), false);
            assert.equal(except.has('2026-12-25'), false);
            assert.match(
                String((await warned)[0]),
                /2026-12-25, so the day keeps its slots: .*Error: (no|it answers)/,
            );
        }
    });
});

describe('the slots of a schedule with exceptions', () => {
    const zones = ['UTC', 'Europe/London', 'America/Nuuk', 'Pacific/Apia', 'America/Sao_Paulo'];
    const arbitrary = fc.record({
        crontab: fc.constantFrom('0 2 * * *', '30 23 * * *', '0 0 * * *', '15 */7 * * *', '0 9 * * MON-FRI'),
        zone: fc.constantFrom(...zones),
        from: fc.integer({ min: Date.UTC(2011, 11, 1) / 1000, max: Date.UTC(2028, 0, 1) / 1000 }),
        out: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 }),
    });

    test('are all others, forwards and backwards, in every zone', () => {
        fc.assert(
            fc.property(arbitrary, ({ crontab, zone, from, out }) => {
                const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
                const dayOf = (second: number) => format.format(second * 1000);
                const days = out.map((index) => dayOf(from + index * DAY));
                const schedule = createSchedule('job', [crontab], zone, new Exceptions(days));
                const whole = createSchedule('job', [crontab], zone);
                const end = from + 35 * DAY;
                const expected = [...whole.slots(from, end)].filter((slot) => !days.includes(dayOf(slot)));
                const forwards = [...schedule.slots(from, end)];
                const backwards: number[] = [];
                for (let slot = schedule.previous(end); slot && slot > from; slot = schedule.previous(slot))
                    backwards.unshift(slot);
                assert.deepEqual(forwards, expected);
                assert.deepEqual(backwards, expected);
            }),
            { numRuns: 300 },
        );
    });

    test('are none where every day is taken out', () => {
        const schedule = createSchedule('job', ['* * * * *'], 'UTC', new Exceptions([() => true]));
        assert.deepEqual([schedule.next(START), schedule.previous(START)], [undefined, undefined]);
    });

    test('are due, but on the days of the job itself alone', () => {
        const timetable = new Timetable(START - 1);
        const except = new Exceptions(['2026-12-20']);
        timetable.replace('other', [createSchedule('other', ['0 0 * * *'], 'UTC')]);
        timetable.replace('job', [createSchedule('job', ['0 0 * * *'], 'UTC', except)]);
        const names = (second: number) => timetable.peek(second).map(({ job }) => job);
        assert.deepEqual([names(START), names(START + DAY)], [['other'], ['job', 'other']]);
    });

    test('may be run by hand all the same', () => {
        const except = new Exceptions(['2026-12-20']);
        assert.ok(createSchedule('job', ['0 0 * * *'], 'UTC', except).matches(START));
    });
});
