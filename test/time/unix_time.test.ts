import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkUnixTime } from '../../lib/time/moment_input.js';

describe('checkUnixTime', () => {
    test('refuses milliseconds, and says so', () => {
        const year = Date.parse('1990-01-01');
        for (const time of [Date.now(), Date.now() + 0.5, year, -year]) {
            assert.throws(() => checkUnixTime(time), {
                name: 'TypeError',
                message: `${time} looks like milliseconds, not unix seconds: pass Math.floor(Date.now() / 1000)`,
            });
        }
    });

    test('the time of a Date in milliseconds is never taken for seconds, from 1974 on', () => {
        const [min, max] = [new Date('1974-01-01'), new Date('2999-12-31')];
        const dates = fc.date({ min, max, noInvalidDate: true });
        fc.assert(
            fc.property(dates, (date) => {
                checkUnixTime(Math.floor(date.getTime() / 1000) % 1e11);
                assert.throws(() => checkUnixTime(date.getTime()), /milliseconds/);
            }),
        );
    });

    test('refuses the year 3000, which no schedule reaches', () => {
        checkUnixTime(Date.UTC(3000, 0, 1) / 1000 - 1);
        for (const time of [Date.UTC(3000, 0, 1) / 1000, 99_999_999_999])
            assert.throws(() => checkUnixTime(time), { name: 'TypeError', message: /after the year 2999/ });
        for (const time of [Infinity, -Infinity]) assert.throws(() => checkUnixTime(time), TypeError);
    });

    const numbers = [1.5, Date.now() / 1000 + 0.25, Number.NaN];
    const others = [...numbers, '1767225600', new Date(), undefined, null, true, {}, [], 10n, Symbol('now')];
    for (const value of others) {
        test(`refuses ${typeof value} ${String(value)}`, () => {
            assert.throws(() => checkUnixTime(value), {
                name: 'TypeError',
                message: /is not a time in whole unix seconds/,
            });
        });
    }
});
