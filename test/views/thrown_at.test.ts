import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { thrownAt } from '../../lib/views/thrown_at.js';

const stack = (...frames: string[]) =>
    ['Error: no paper', ...frames.map((frame) => `    at ${frame}`)].join('\n');

describe('where an error was thrown', () => {
    test('is the first place of the app, seen from its folder', () => {
        const text = stack(
            'JSON.parse (<anonymous>)',
            'node:internal/process/task_queues:95:5',
            'request (file:///app/node_modules/client/index.js:3:1)',
            'async Proxy.run (file:///app/lib/background_jobs/print.js:12:15)',
            'async run (file:///app/lib/other.js:1:1)',
        );
        assert.equal(thrownAt(text, '/app'), 'lib/background_jobs/print.js:12:15');
    });

    test('is found in every form that Node gives a frame', () => {
        for (const frame of [
            'file:///app/lib/a%20b.js:1:2',
            'async file:///app/lib/a%20b.js:1:2',
            '/app/lib/a b.js:1:2',
            'new Job (/app/lib/a b.js:1:2)',
            'Object.<anonymous> (file:///app/lib/a%20b.js?v=2:1:2)',
        ])
            assert.equal(thrownAt(stack(frame), '/app'), 'lib/a b.js:1:2', frame);
    });

    test('is nowhere where the stack does not lead through the app', () => {
        for (const frame of [
            'run (file:///elsewhere/lib/a.js:1:2)',
            'run (file:///application/a.js:1:2)',
            'node:timers:1:1',
        ])
            assert.equal(thrownAt(stack(frame), '/app'), undefined, frame);
    });
});
