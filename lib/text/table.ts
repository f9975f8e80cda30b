import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { paint } from './paint.js';
import { NO_BREAK } from './paragraph.js';

const GAP = '  ';

/** How many lines of a row one line of a cell may take. */
const MOST_LINES = 3;

/** Marks where a word that does not fit may be broken; it is removed again. */
const SEAM = '\u200b ';

/** Cells, which may have colours and several lines. */
type Row = readonly string[];

/**
 * Writes a table: the lines of the headings, then those of each row; nothing if there are no rows. Cells take as few lines
 * as the width allows, and at most three. If that is too wide, the widest column shrinks: a word that is too long for it
 * continues on the next line after a dash, slash or comma, and what still does not fit ends in `…`. Empty columns are left
 * out.
 *
 * @param width how many columns a line has; Infinity in a pipe
 */
export function renderTable(headings: Row, rows: readonly Row[], width: number): string[][] {
    if (rows.length === 0) return [];
    const used = headings.map((_, column) => rows.some((cells) => cells[column]));
    const table = [headings, ...rows].map((cells) =>
        cells.filter((_, column) => used[column]).map(withUnits),
    );
    const widths = fit(table, width);
    const [heading = [], ...others] = table.map((cells) => renderRow(cells, widths));
    return [heading.map((line) => paint.dim(line)), ...others];
}

/** Keeps numbers and their units together. */
function withUnits(text: string): string {
    return text.replace(/(?<=\d) (?=(?:ms|s|min|h|d)\b)/g, NO_BREAK);
}

function fit(table: readonly Row[], available: number): number[] {
    const columns = (table[0] ?? []).map((_, column) => table.map((cells) => measure(cells[column] ?? '')));
    const heights = table.map((cells) => Math.max(...cells.map((cell) => cell.split('\n').length)));
    const widths = columns.map((cells) => narrowest(cells, heights, MOST_LINES));
    for (let lines = MOST_LINES - 1; lines > 0; lines--) {
        for (const [column, cells] of columns.entries()) {
            const wider = narrowest(cells, heights, lines);
            if (total(widths.with(column, wider)) <= available) widths[column] = wider;
        }
    }
    while (total(widths) > available && Math.max(...widths) > 2) {
        const widest = Math.max(...widths);
        widths[widths.indexOf(widest)] = widest - 1;
    }
    return widths;
}

function total(widths: readonly number[]): number {
    return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

/** How wide each word of a cell is, line by line. */
function measure(cell: string): number[][] {
    return cell.split('\n').map((line) => line.split(' ').map((word) => stringWidth(word)));
}

/** How narrow a column can be without breaking a word, in rows of so many lines. */
function narrowest(cells: readonly number[][][], heights: readonly number[], lines: number): number {
    let width = 0;
    for (const [row, own] of cells.entries()) {
        const height = lines === 1 ? own.length : Math.max(lines, heights[row] ?? 0);
        width = Math.max(width, ...own.flat());
        while (own.reduce((sum, words) => sum + linesOf(words, width), 0) > height) width++;
    }
    return width;
}

function linesOf(words: readonly number[], width: number): number {
    let lines = 1;
    let end = -1;
    for (const word of words) {
        const isNext = end >= 0 && end + 1 + word > width;
        if (isNext) lines++;
        end = isNext ? word : end + 1 + word;
    }
    return lines;
}

function renderRow(cells: Row, widths: readonly number[]): string[] {
    const height = Math.max(...cells.map((cell) => cell.split('\n').length));
    const columns = cells.map((cell, column) => renderCell(cell, widths[column] ?? 0, height));
    return Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, line) =>
        columns
            .map((lines, column) => padEnd(lines[line] ?? '', widths[column] ?? 0))
            .join(GAP)
            .trimEnd(),
    );
}

function renderCell(cell: string, width: number, height: number): string[] {
    if (stringWidth(cell) <= width && !cell.includes('\n')) return [cell.replaceAll(NO_BREAK, ' ')];
    const lines = wrapAnsi(withSeams(cell, width), width)
        .split('\n')
        .map((line) => line.replace(/\u200b ?/g, '').replaceAll(NO_BREAK, ' '));
    const most = Math.max(height, MOST_LINES * cell.split('\n').length);
    const shown = lines.slice(0, most);
    if (lines.length > most) shown.push(`${shown.pop()}…`);
    return shown.map((line) => (stringWidth(line) > width ? cut(line, width) : line));
}

function withSeams(text: string, width: number): string {
    return text.replace(/[^ \n]+/g, (word) => {
        if (stringWidth(word) <= width) return word;
        if (word.includes(NO_BREAK)) return withSeams(word.replaceAll(NO_BREAK, ' '), width);
        return word.replace(/[-/,](?=\P{Cc})/gu, `$&${SEAM}`);
    });
}

function cut(text: string, width: number): string {
    return `${wrapAnsi(text, width - 1, { hard: true }).split('\n', 1)[0]}…`;
}

function padEnd(text: string, width: number): string {
    return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}
