import wrapAnsi from 'wrap-ansi';
import { outputWidth } from './terminal.js';

const LEAST_COLUMNS = 20;

/** A space at which no line ends. */
export const NO_BREAK = '\u00a0';

/** How many columns a paragraph on standard output has: at most 100, and 80 if the width is unknown. */
export function outputColumns(): number {
    const width = outputWidth();
    return width === Infinity ? 80 : Math.min(width, 100);
}

/** Keeps words on one line if there is room. */
export function keepTogether(words: string): string {
    return words.replaceAll(' ', NO_BREAK);
}

/**
 * Breaks a text into lines. Text in quotes, such as a crontab, stays together if possible; a word that is longer than a line,
 * such as a path, is not broken, so that it can be copied.
 *
 * @param columns the maximum width, including the indentation
 */
export function paragraph(text: string, columns: number, indent = ''): string {
    const whole = text.replace(/(["'])[^"']{0,40}\1/g, keepTogether);
    return wrapAnsi(whole, Math.max(LEAST_COLUMNS, columns - indent.length))
        .split('\n')
        .map((line) => indent + line.replaceAll(NO_BREAK, ' '))
        .join('\n');
}
