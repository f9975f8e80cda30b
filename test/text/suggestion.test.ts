import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../lib/text/suggestion.js';

const JOBS = ['my-cleanup-task', 'send-digests', 'sync'];

describe('nearest', () => {
    test('finds the name within three edits', () => {
        assert.equal(nearest('my-clenup-task', JOBS), 'my-cleanup-task');
        assert.equal(nearest('sned-digest', JOBS), 'send-digests');
        assert.equal(nearest('sync', JOBS), 'sync');
    });

    test('finds nothing where nothing is near, and does not take one short word for another', () => {
        for (const word of ['send-digests-now!', 'reports', '']) assert.equal(nearest(word, JOBS), undefined);
        assert.equal(nearest('sync', []), undefined);
        assert.equal(nearest('abc', ['xyz']), undefined);
        assert.equal(nearest('a', ['b']), undefined);
    });

    test('finds every name of four letters or more with one letter missing, and nothing nearer is passed over', () => {
        fc.assert(
            fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(), (name, position) => {
                const at = position % name.length;
                const word = name.slice(0, at) + name.slice(at + 1);
                assert.equal(nearest(word, ['a-name-far-away-from-it', name]), name);
            }),
        );
    });
});
