import wrapAnsi from 'wrap-ansi';
import { keepTogether, withPlainSpaces } from './no_break.js';
import { outputWidth } from './terminal.js';

/** How wide a paragraph is where nobody knows the width of the terminal, or there is none. */
const USUAL_COLUMNS = 80;

const MOST_COLUMNS = 100;
const LEAST_COLUMNS = 20;

/**
 * Tells how wide a paragraph may be on standard output.
 *
 * @returns a number of columns
 */
export function outputColumns(): number {
    const width = outputWidth();
    return width === Number.POSITIVE_INFINITY ? USUAL_COLUMNS : Math.min(width, MOST_COLUMNS);
}

/**
 * Breaks a text into lines; what stands in quotes, such as a crontab, stays in one of them where that is possible, as it
 * is there to be copied.
 *
 * @param text one line
 * @param columns how wide it may become, the indentation included
 * @param indent what each line begins with
 * @returns the lines
 */
export function paragraph(text: string, columns: number, indent = ''): string {
    const whole = text.replace(/(["'])[^"']{0,40}\1/g, keepTogether);
    return wrapAnsi(whole, Math.max(LEAST_COLUMNS, columns - indent.length), { hard: true })
        .split('\n')
        .map((line) => indent + withPlainSpaces(line))
        .join('\n');
}
