/**
 * Makes a text that somebody else has written fit for a terminal: what would move the cursor, or colour what follows, is
 * written out.
 *
 * @param text a name, a description, a message
 * @returns the same in one line: a line's end is a blank, other control characters are as in JSON: `\u001b`
 */
export function printable(text: string): string {
    return text
        .replace(/\r?\n\s*/g, ' ')
        .replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
