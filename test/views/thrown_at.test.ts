import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thrownAt } from '../../lib/views/thrown_at.js';

// A person reads it in show-background-job; here are all the forms that Node gives a frame.
const PLACES: [frame: string, place: string | undefined][] = [
    ['file:///app/lib/a%20b.js:1:2', 'lib/a b.js:1:2'],
    ['async file:///app/lib/a%20b.js:1:2', 'lib/a b.js:1:2'],
    ['/app/lib/a b.js:1:2', 'lib/a b.js:1:2'],
    ['new Job (/app/lib/a b.js:1:2)', 'lib/a b.js:1:2'],
    ['Object.<anonymous> (file:///app/lib/a%20b.js?v=2:1:2)', 'lib/a b.js:1:2'],
    ['run (file:///elsewhere/lib/a.js:1:2)', undefined],
    ['run (file:///application/a.js:1:2)', undefined],
    ['node:timers:1:1', undefined],
];

test('an error was thrown at the first place of the app, or nowhere', () => {
    for (const [frame, place] of PLACES)
        assert.equal(
            thrownAt(`Error: no paper\n    at JSON.parse (<anonymous>)\n    at ${frame}`, '/app'),
            place,
            frame,
        );
});
