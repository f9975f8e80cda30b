import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { keepTogether } from '../../lib/text/no_break.js';
import { fitColumns, type Layout, renderTable } from '../../lib/text/table.js';

const plain = (layouts: readonly [Layout, ...Layout[]], width: number) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: headings are dim where there are colours.
    renderTable(layouts, width).map((line) => line.replace(/\u001b\[\d+m/g, ''));

describe('a table', () => {
    const table: Layout = {
        headings: ['NAME', 'NOTE', 'LAST'],
        rows: [
            [['clean-up'], [''], ['succeeded', 'took 3 ms']],
            [['日次レポート'], [''], ['failed']],
        ],
    };

    test('is aligned by what a terminal shows, and leaves out columns in which nothing stands', () => {
        assert.deepEqual(plain([table], Infinity), [
            'NAME          LAST',
            'clean-up      succeeded',
            '              took 3 ms',
            '日次レポート  failed',
        ]);
    });

    test('takes the first layout that fits, and makes the last one narrower where none does', () => {
        const wide: Layout = { headings: ['NAME'], rows: [[['one line for a schedule']]] };
        const narrow: Layout = { headings: ['NAME'], rows: [[['one line', 'for a schedule']]] };
        assert.deepEqual(plain([wide, narrow], 30), ['NAME', 'one line for a schedule']);
        assert.deepEqual(plain([wide, narrow], 20), ['NAME', 'one line', 'for a schedule']);
        assert.deepEqual(plain([wide, narrow], 10), ['NAME', 'one line', 'for a', 'schedule']);
    });

    test('keeps together what is meant to be, and breaks words only where nothing else helps', () => {
        const row = [[keepTogether('2026-11-24 08:05')], ['a note of a few words']];
        const layout: Layout = { headings: ['NEXT', 'NOTE'], rows: [row] };
        assert.deepEqual(plain([layout], 26), [
            'NEXT              NOTE',
            '2026-11-24 08:05  a note',
            '                  of a few',
            '                  words',
        ]);
        assert.deepEqual(plain([{ headings: ['NAME'], rows: [[['0123456789']]] }], 5), [
            'NAME',
            '01234567',
            '89',
        ]);
    });

    test('has no line that is wider than the place it has, and loses no letter', () => {
        const word = fc.string({
            unit: fc.constantFrom('a', 'b', 'ü', '日', '😀'),
            minLength: 1,
            maxLength: 14,
        });
        const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(' '));
        const row = fc.array(fc.array(text, { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 3 });
        const letters = (lines: readonly string[]) => [...lines.join('').replace(/\s/g, '')].sort().join('');
        fc.assert(
            fc.property(fc.array(row, { maxLength: 4 }), fc.integer({ min: 30, max: 120 }), (rows, width) => {
                const lines = plain([{ headings: ['A', 'B', 'C'], rows }], width);
                for (const line of lines) assert.ok(stringWidth(line) <= width, line);
                assert.equal(letters(lines.slice(1)), letters(rows.flat(2)));
            }),
        );
    });
});

describe('columns', () => {
    const column = fc
        .tuple(fc.nat({ max: 60 }), fc.nat({ max: 60 }))
        .map(([a, b]) => ({ natural: Math.max(a, b), longestWord: Math.min(a, b) }));
    const columns = fc.array(column, { minLength: 1, maxLength: 7 });
    const total = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width + 2, -2);

    test('are as wide as they like where there is room', () => {
        fc.assert(
            fc.property(columns, (wanted) => {
                const widths = wanted.map(({ natural }) => natural);
                assert.deepEqual(fitColumns(wanted, total(widths)), widths);
                assert.deepEqual(fitColumns(wanted, Infinity), widths);
            }),
        );
    });

    test('fill the room otherwise, and give before a word is broken', () => {
        fc.assert(
            fc.property(columns, fc.integer({ min: 10, max: 200 }), (wanted, available) => {
                const widths = fitColumns(wanted, available);
                for (const [index, { natural, longestWord }] of wanted.entries()) {
                    const width = widths[index] ?? -1;
                    assert.ok(width <= natural && width >= Math.min(longestWord, 8));
                }
                const natural = total(wanted.map((one) => one.natural));
                const unbroken = total(wanted.map(({ longestWord }) => longestWord));
                if (natural > available && unbroken <= available) {
                    assert.equal(total(widths), available);
                    for (const [index, { longestWord }] of wanted.entries())
                        assert.ok((widths[index] ?? -1) >= longestWord);
                }
            }),
        );
    });
});
