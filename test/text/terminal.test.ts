import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { outputColumns } from '../../lib/text/paragraph.js';
import { outputWidth } from '../../lib/text/terminal.js';

const { COLUMNS } = process.env;
const { isTTY, columns } = process.stdout;

afterEach(() => {
    process.env['COLUMNS'] = COLUMNS;
    if (COLUMNS === undefined) delete process.env['COLUMNS'];
    Object.assign(process.stdout, { isTTY, columns });
});

describe('the width of standard output', () => {
    const cases: [what: string, COLUMNS: string | undefined, table: number, paragraph: number][] = [
        ['is none in a pipe', undefined, Number.POSITIVE_INFINITY, 80],
        ['is what COLUMNS says in a pipe', '60', 60, 60],
        ['is what COLUMNS says for tables, and bounded for paragraphs', '200', 200, 100],
        ['is none where COLUMNS is empty', '', Number.POSITIVE_INFINITY, 80],
        ['is none where COLUMNS is no number', 'wide', Number.POSITIVE_INFINITY, 80],
        ['is none where COLUMNS is 0', '0', Number.POSITIVE_INFINITY, 80],
        ['is none where COLUMNS is negative', '-40', Number.POSITIVE_INFINITY, 80],
        ['is a whole number', '60.5', 60, 60],
    ];
    for (const [what, wanted, table, paragraph] of cases) {
        test(what, () => {
            Object.assign(process.stdout, { isTTY: false, columns: undefined });
            if (wanted === undefined) delete process.env['COLUMNS'];
            else process.env['COLUMNS'] = wanted;
            assert.deepEqual([outputWidth(), outputColumns()], [table, paragraph]);
        });
    }

    test('is that of the terminal, whatever COLUMNS says', () => {
        process.env['COLUMNS'] = '40';
        Object.assign(process.stdout, { isTTY: true, columns: 132 });
        assert.equal(outputWidth(), 132);
        Object.assign(process.stdout, { columns: 0 });
        assert.equal(outputWidth(), 80);
    });
});
