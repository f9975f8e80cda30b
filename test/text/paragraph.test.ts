import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { paragraph } from '../../lib/text/paragraph.js';

describe('a paragraph', () => {
    test('keeps what is quoted in one line, and is never wider than it may be', () => {
        const text = "for once write '0 2 * * *' and be done with it";
        assert.equal(
            paragraph(text, 24, '    '),
            "    for once write\n    '0 2 * * *' and be\n    done with it",
        );
    });

    test('breaks no word that is wider than a line, such as a path, and knows how wide other scripts are', () => {
        const path = `/app/lib/${'x'.repeat(25)}.js`;
        assert.equal(paragraph(`in ${path} of it`, 20), `in\n${path}\nof it`);
        assert.equal(paragraph('日本語 日本語 日本語 日本語', 20), '日本語 日本語 日本語\n日本語');
    });
});
