/** What moves the cursor, colours or reorders what follows, or ends the line. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Makes a text that somebody else has written fit for a terminal, in one line: a line's end and a tab are a blank, other
 * control characters are written as in JSON: `\u001b`.
 */
export function printable(text: string): string {
    return text
        .replace(/\r?\n\s*|\t/g, ' ')
        .replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Does the same for a text of several lines, such as a stack: they stay lines. */
export function printableLines(text: string): string {
    return text.split(/\r?\n/).map(printable).join('\n');
}
