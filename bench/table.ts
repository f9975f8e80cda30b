/** What a measurement comes to: a table, and what has to be known to read it. */
export interface Table {
    readonly title: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
    readonly notes?: readonly string[];
}

/** Writes a table in markdown. */
export function toMarkdown({ title, columns, rows, notes = [] }: Table): string {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    // The first column is a name, the others are numbers.
    const rule = line(columns.map((_, index) => (index === 0 ? '---' : '---:')));
    const table = [line(columns), rule, ...rows.map(line)].join('\n');
    return [`## ${title}`, table, ...notes].join('\n\n');
}

/** Writes a number with three figures at most, and its unit. */
export function show(value: number | undefined, unit: string): string {
    if (value === undefined) return '-';
    const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.01 ? 2 : 4;
    return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}
