/** Characters that move the cursor, colour or reorder what follows, or end the line. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Makes a text that somebody else has written safe for a terminal, in one line: line ends and tabs become spaces, other
 * control characters are written as in JSON: `\u001b`.
 */
export function printable(text: string): string {
    return text
        .replace(/\r?\n\s*|\t/g, ' ')
        .replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Does the same for each line of a text of several lines, such as a stack. */
export function printableLines(text: string): string {
    return text.split(/\r?\n/).map(printable).join('\n');
}
