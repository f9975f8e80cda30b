import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { withPlainSpaces } from './no_break.js';
import { paint } from './paint.js';

/** What stands between two columns. */
const GAP = '  ';

/** Where words can be told from one another no more, a column still has so much room. */
const NARROWEST = 8;

/** Names up to this length are not broken while anything else can give way. */
const READABLE_NAME = 20;

/** One cell: its lines, from top to bottom. */
export type Cell = readonly string[];

/** One way to lay a table out. Columns in which nothing stands are left out. */
export interface Layout {
    readonly headings: readonly string[];
    readonly rows: readonly (readonly Cell[])[];
}

/** How wide a column would like to be, and how wide it has to be for its longest word. */
export interface ColumnWidth {
    readonly natural: number;
    readonly longestWord: number;
}

/**
 * Writes a table, in the first layout that fits. Where none does, the last one's widest columns are made narrower, and
 * what stands in them goes on in the next line: nothing is cut off.
 *
 * @param layouts the layouts, widest first; cells may have colours
 * @param width how many columns a line has; Infinity in a pipe
 * @returns its lines; none where it has no rows
 */
export function renderTable(layouts: readonly [Layout, ...Layout[]], width: number): string[] {
    if (layouts[0].rows.length === 0) return [];
    const candidates = layouts.map((layout) => {
        const filled = withoutEmptyColumns(layout);
        const columns = filled.headings.map((_, column) => measure(filled, column));
        return { ...filled, columns };
    });
    const fits = ({ columns }: { columns: ColumnWidth[] }) =>
        total(columns.map(({ natural }) => natural)) <= width;
    const { headings, rows, columns } =
        candidates.find(fits) ?? (candidates.at(-1) as (typeof candidates)[0]);
    const widths = fitColumns(columns, width);
    const heading = renderRow(
        headings.map((text) => [text]),
        widths,
    );
    return [...heading.map((line) => paint.dim(line)), ...rows.flatMap((cells) => renderRow(cells, widths))];
}

/**
 * Takes from the widest columns until all of them fit; first from those that can give without breaking a word, then
 * from the first column, where its names are long: what stands in the others, such as crontabs, reads wrong when broken.
 *
 * @param columns what each would like
 * @param available how much room there is, gaps included
 * @returns how wide each is to be: together more than there is room only where none is wider than eight
 */
export function fitColumns(columns: readonly ColumnWidth[], available: number): number[] {
    const widths = columns.map(({ natural }) => natural);
    const words = columns.map(({ longestWord }) => longestWord);
    const [name = 0, ...others] = words;
    const readable = Math.min(name, READABLE_NAME);
    const floors = [
        words,
        [readable, ...others],
        [readable, ...others.map(() => NARROWEST)],
        words.map(() => NARROWEST),
    ];
    for (const floor of floors) {
        for (let excess = total(widths) - available; excess > 0; excess--) {
            const spare = widths.map((width, column) => (width > (floor[column] ?? 0) ? width : 0));
            const widest = Math.max(...spare);
            if (widest === 0) break;
            widths[spare.indexOf(widest)] = widest - 1;
        }
    }
    return widths;
}

function total(widths: readonly number[]): number {
    return widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1);
}

function withoutEmptyColumns({ headings, rows }: Layout): Layout {
    const isUsed = headings.map((_, column) => rows.some((cells) => cells[column]?.some(Boolean)));
    const used = <T>(cells: readonly T[]) => cells.filter((_, column) => isUsed[column]);
    return { headings: used(headings), rows: rows.map(used) };
}

function measure({ headings, rows }: Layout, column: number): ColumnWidth {
    const lines = [headings[column] ?? '', ...rows.flatMap((cells) => cells[column] ?? [])];
    const widest = (texts: readonly string[]) =>
        texts.reduce((width, text) => Math.max(width, stringWidth(text)), 0);
    return { natural: widest(lines), longestWord: widest(lines.flatMap((line) => line.split(' '))) };
}

function renderRow(cells: readonly Cell[], widths: readonly number[]): string[] {
    const wrapped = cells.map((cell, column) =>
        cell.flatMap((line) => wrapAnsi(line, widths[column] ?? 0, { hard: true }).split('\n')),
    );
    const height = Math.max(1, ...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
        withPlainSpaces(
            wrapped
                .map((lines, column) => padEnd(lines[line] ?? '', widths[column] ?? 0))
                .join(GAP)
                .trimEnd(),
        ),
    );
}

function padEnd(text: string, width: number): string {
    return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}
