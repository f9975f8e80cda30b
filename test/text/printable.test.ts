import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { printable } from '../../lib/text/printable.js';

describe('a text that somebody else has written', () => {
    test('is one line, and moves no cursor', () => {
        assert.equal(printable('no way\n    second\r\nthird'), 'no way second third');
        assert.equal(printable('\u001b[31mred\u0007'), '\\u001b[31mred\\u0007');
        assert.equal(printable('Währung, 価格 😀'), 'Währung, 価格 😀');
    });

    test('has no control characters left, whatever it was', () => {
        fc.assert(
            fc.property(fc.string({ unit: 'binary' }), (text) =>
                assert.doesNotMatch(printable(text), /\p{Cc}/u),
            ),
        );
    });
});
