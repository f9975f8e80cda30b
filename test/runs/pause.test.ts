import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { describe, test } from 'node:test';
import { ALL_JOBS, describePause, type PauseOptions, pauseOf, readPause } from '../../lib/runs/pause.js';
import { NOW, pauseFor } from '../support/job_overviews.js';

const read = (options: object) =>
    readPause('a', options as PauseOptions, { now: NOW / 1000 + 0.5, timezone: 'Europe/London' });

describe('a pause', () => {
    for (const [until, expected] of [
        [undefined, undefined],
        ['+2h', NOW + 7_200_000],
        ['2026-07-01 14:00', Date.UTC(2026, 6, 1, 13)],
        [new Date(NOW + 1_500), NOW + 1_500],
        [NOW + 1_500, NOW + 1_500],
    ] as const)
        test(`may end ${until}`, () => assert.equal(read({ until }).until, expected));

    // What else is no time stands in scheduler/later.test.ts.
    for (const [what, options, complaint] of [
        ['no time', { until: 'tomorrow' }, /^until "tomorrow" is not a time: write '2026-11-25 02:00'/],
        [
            'past',
            { until: '-1h' },
            /^until "-1h" is not in the future: it is 2026-01-01 00:00:00 Europe\/London\.$/,
        ],
        ['the present', { until: 'now' }, /^until "now" is not in the future/],
        [
            'a Date that is past',
            { until: new Date(NOW) },
            /^until 2026-01-01 00:00:00 Europe\/London is not in the future/,
        ],
        ['an empty reason', { reason: ' ' }, /^reason is not a text of 1 to 500 characters\.$/],
        ['nobody', { by: 7 }, /^by is not a text of 1 to 500 characters\.$/],
        [
            'options that are none',
            null as never,
            /^the options of a pause are not an object with reason, until, by\.$/,
        ],
        [
            'an option that there is not',
            { untill: '+2h' },
            /^"untill" is not an option of a pause \(did you mean "until"\?\)\.$/,
        ],
    ] as const)
        test(`refuses ${what}`, () =>
            assert.throws(() => read(options), { name: 'BadOptionError', message: complaint }));

    test('is by the user of the process, unless somebody is named', () => {
        assert.ok(read({}).by?.startsWith(`${userInfo().username}@`));
        assert.equal(read({ by: 'ada' }).by, 'ada');
    });

    test('is over at its end; of several the one that ends last counts', () => {
        const [short, long] = [pauseFor('a', { until: NOW }), pauseFor('a', { until: NOW + 2 })];
        const all = pauseFor(ALL_JOBS, { until: NOW + 1 });
        assert.equal(pauseOf([short], 'a', NOW), undefined);
        assert.equal(pauseOf([short], 'a', NOW - 1), short);
        assert.equal(pauseOf([all, long], 'a', NOW), long);
        assert.equal(pauseOf([all, long], 'b', NOW), all);
        assert.equal(pauseOf([long, pauseFor(ALL_JOBS)], 'a', NOW)?.job, ALL_JOBS);
    });

    test('is described in one line, whatever its reason', () => {
        const pause = pauseFor('a', { until: NOW, reason: 'a\nb\u001b[1m' });
        assert.equal(describePause(pause, 'UTC'), ' until 2026-01-01 00:00: a b\\u001b[1m');
        assert.equal(describePause(pauseFor('a'), 'UTC'), '');
    });
});
