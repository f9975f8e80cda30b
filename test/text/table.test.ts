import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { keepTogether } from '../../lib/text/paragraph.js';
import { renderTable } from '../../lib/text/table.js';

const paint = new Chalk({ level: 1 });

type Row = readonly string[];

const render = (headings: Row, rows: readonly Row[], width: number) =>
    renderTable(headings, rows, width).map((lines) => lines.map(stripVTControlCharacters));

describe('a table', () => {
    const headings = ['NAME', 'NOTE', 'LAST'];
    const rows = [
        ['clean-up', '', 'succeeded\ntook 3 ms'],
        ['日次レポート', '', 'failed'],
    ];

    test('is aligned by what a terminal shows, and leaves out columns in which nothing stands', () => {
        assert.deepEqual(render(headings, rows, Infinity), [
            ['NAME          LAST'],
            ['clean-up      succeeded', '              took 3 ms'],
            ['日次レポート  failed'],
        ]);
        assert.deepEqual(render(headings, [], Infinity), []);
    });

    test('takes as few lines for a row as it needs to fit', () => {
        const table = (width: number) => render(['NAME', 'NOTE'], [['a', 'one line for a schedule']], width);
        assert.deepEqual(table(29)[1], ['a     one line for a schedule']);
        assert.deepEqual(table(28)[1], ['a     one line for', '      a schedule']);
        assert.deepEqual(table(17)[1], ['a     one line', '      for a', '      schedule']);
    });

    test('takes from the widest column where that is not enough, and says where something is left out', () => {
        const table = (name: string) => render(['NAME', 'LAST'], [[name, 'succeeded']], 30)[1];
        const lines = ['reports/quarterly-   succeeded', 'figures-of-every-', 'branch'];
        assert.deepEqual(table('reports/quarterly-figures-of-every-branch'), lines);
        assert.deepEqual(table('x'.repeat(50)), ['xxxxxxxxxxxxxxxxxx…  succeeded']);
        const [, note] = render(['NOTE'], [['one two three four five six seven']], 9);
        assert.deepEqual(note, ['one two', 'three', 'four…']);
    });

    test('leaves out no line of a cell that has several', () => {
        const row = ['x'.repeat(9), 'in 5 min, 10:05\nin 10 min, 10:10'];
        assert.deepEqual(
            render(['NAME', 'NEXT'], [row], 14)[1]?.map((line) => line.slice(8)),
            ['in', '5 min,', '10:05', 'in 10', 'min,', '10:10'],
        );
    });

    test('ends the colour of each line in that line', () => {
        const [, lines = []] = renderTable(['NAME'], [[paint.bold('only-in-production')]], 12);
        assert.deepEqual(
            lines,
            ['only-in-', 'production'].map((line) => paint.bold(line)),
        );
    });

    describe('of any content', () => {
        const letter = fc.constantFrom('a', 'ü', '日', '😀', '-', '/', ',', '1', '…');
        const word = fc.string({ unit: letter, minLength: 1, maxLength: 30 });
        const text = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '));
        const long = fc.string({ unit: letter, minLength: 60, maxLength: 400 });
        const lines = fc.array(text, { maxLength: 5 }).map((some) => some.join('\n'));
        const cell = fc.oneof(text, text, lines, long, text.map(keepTogether));
        const row = fc.array(cell, { minLength: 7, maxLength: 7 });
        const tables = fc.array(row, { minLength: 1, maxLength: 5 });
        const names = ['A', 'B', 'C', 'NEXT (America/Argentina/Buenos_Aires)', 'E', 'F', 'G'];

        /** All that may stand between two spaces: a word, or what a break after a dash, slash or comma leaves of it. */
        const piecesOf = (texts: readonly string[]) => {
            const pieces = texts
                .flatMap((text) => text.split(/\s+/))
                .flatMap((word) => {
                    const parts = word.split(/(?<=[-/,])/);
                    return parts.flatMap((_, from) =>
                        parts.map((_, to) => parts.slice(from, to + 1).join('')),
                    );
                });
            return new Set(pieces);
        };

        test('fits any width from 60 to 200, takes three lines for one, and breaks no word', () => {
            fc.assert(
                fc.property(tables, fc.integer({ min: 60, max: 200 }), (rows, width) => {
                    const pieces = piecesOf([...names, ...rows.flat()]);
                    for (const [index, lines] of render(names, rows, width).entries()) {
                        const own = (rows[index - 1] ?? []).map((cell) => cell.split('\n').length);
                        assert.ok(lines.length <= 3 * Math.max(1, ...own), lines.join('\n'));
                        for (const line of lines) {
                            assert.ok(stringWidth(line) <= width, `${stringWidth(line)}: ${line}`);
                            for (const piece of line.split(/ +/).filter(Boolean))
                                assert.ok(pieces.has(piece) || piece.endsWith('…'), piece);
                        }
                    }
                }),
                { numRuns: 50 },
            );
        });

        test('is whole where there is room for it', () => {
            fc.assert(
                fc.property(tables, (rows) => {
                    const [, ...shown] = render(names, rows, Infinity);
                    for (const [index, row] of rows.entries()) {
                        const letters = (text: string) => [...text.replace(/\s/g, '')].sort().join('');
                        assert.equal(letters((shown[index] ?? []).join('')), letters(row.join('')));
                        const most = Math.max(...row.map((one) => one.split('\n').length));
                        assert.equal(shown[index]?.length, most);
                    }
                }),
            );
        });
    });
});
