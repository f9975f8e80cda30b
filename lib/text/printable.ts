/** What moves the cursor, colours or reorders what follows, or ends the line. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Makes a text that somebody else has written fit for a terminal: what would move the cursor, or colour what follows, is
 * written out.
 *
 * @param text a name, a description, a message
 * @returns the same in one line: a line's end and a tab are a blank, other control characters are as in JSON: `\u001b`
 */
export function printable(text: string): string {
    return text
        .replace(/\r?\n\s*|\t/g, ' ')
        .replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Does the same for a text of several lines, such as a stack: they stay as they are.
 *
 * @param text some lines
 */
export function printableLines(text: string): string {
    return text.split(/\r?\n/).map(printable).join('\n');
}
