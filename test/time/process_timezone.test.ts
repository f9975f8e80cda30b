import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { nextSlot } from '../../lib/schedule/calendar.js';
import { formatMoment } from '../../lib/time/moment.js';
import { findProcessTimezone, processTimezone } from '../../lib/time/process_timezone.js';

const own = process.env['TZ'];
afterEach(() => {
    process.env['TZ'] = own;
    if (own === undefined) delete process.env['TZ'];
});

const MIDNIGHT = Date.UTC(2026, 6, 1) / 1000;

describe("the process's zone", () => {
    const readable: [variable: string, zones: string[]][] = [
        ['Europe/Berlin', ['Europe/Berlin']],
        [':Europe/Berlin', ['Europe/Berlin']],
        ['posix/Europe/Berlin', ['Europe/Berlin']],
        ['GB', ['Europe/London', 'GB']],
        ['EST5EDT', ['America/New_York', 'EST5EDT']],
        ['Asia/Kolkata', ['Asia/Calcutta', 'Asia/Kolkata']],
        ['Etc/GMT+5', ['Etc/GMT+5']],
        ['UTC', ['UTC']],
    ];
    for (const [variable, zones] of readable) {
        test(`is ${zones[0]} where TZ is ${variable}`, () => {
            process.env['TZ'] = variable;
            assert.ok(zones.includes(processTimezone()), processTimezone());
            assert.equal(findProcessTimezone().fault, undefined);
        });
    }

    const unreadable: [variable: string, zone: string][] = [
        ['', 'UTC'],
        [' ', 'UTC'],
        ['Mars/Base', 'UTC'],
        ['Etc/Unknown', 'UTC'],
        ['europe/london', 'UTC'],
        ['BST', 'UTC'],
        ['JST-9', 'Etc/GMT-9'],
        ['GMT+5', 'Etc/GMT+5'],
    ];
    for (const [variable, zone] of unreadable) {
        test(`is ${zone} where TZ is ${JSON.stringify(variable)}, and that is not kept quiet`, () => {
            process.env['TZ'] = variable;
            assert.deepEqual(findProcessTimezone(), {
                name: zone,
                fault: `TZ is ${JSON.stringify(variable)}, which is not a zone that Node can read, so ${zone} is used instead`,
            });
        });
    }

    test('has a name that Intl takes, and the clock of Date, whatever TZ is', () => {
        for (const [variable] of [...readable, ...unreadable, [':/etc/localtime'], ['CET-1CEST']] as const) {
            process.env['TZ'] = variable;
            assert.ok(new Intl.DateTimeFormat('en', { timeZone: processTimezone() }));
            const hours = Number(formatMoment(MIDNIGHT).slice(11, 13));
            assert.equal(hours, new Date(MIDNIGHT * 1000).getHours(), variable);
            assert.equal(new Date((nextSlot('30 7 * * *', undefined, MIDNIGHT) ?? 0) * 1000).getHours(), 7);
        }
    });

    test('is the one of the machine where there is no TZ', () => {
        delete process.env['TZ'];
        assert.equal(findProcessTimezone().fault, undefined);
    });
});
