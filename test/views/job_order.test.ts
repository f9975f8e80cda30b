import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openApp } from '../support/fixture_app.js';
import { planOf } from '../support/job_overviews.js';

await openApp();
const { overviewsOf } = await import('../../lib/views/overview.js');
const { Timetable } = await import('../../lib/schedule/timetable.js');

test('jobs are listed in the order in which the runs of one second go', () => {
    const part = fc.constantFrom('a', 'b', 'ex', '1', '2', '10', '-', '/', 'Z', 'é');
    const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    fc.assert(
        fc.property(fc.uniqueArray(name, { minLength: 2 }), (names) => {
            const plans = names.map((each) => planOf(each, [['0 0 * * *']]));
            const listed = overviewsOf({ plans, problems: [], environment: 'test' }, new Map(), []);
            const timetable = new Timetable(0);
            for (const { name, schedules } of plans) timetable.replace(name, schedules);
            assert.deepEqual(
                listed.map((job) => job.name),
                timetable.peek(86_400).map(({ job }) => job),
            );
        }),
        { examples: [[['ex2', 'ex10', 'ex1']]] },
    );
});
