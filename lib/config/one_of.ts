/**
 * Reads one of a few words.
 *
 * @param values the words
 * @returns a reader: it returns the word
 * @throws TypeError, by the reader, for anything else; the message lists the words
 */
export function oneOf<Value extends string>(...values: Value[]): (value: unknown) => Value {
    return (value) => {
        if (!values.includes(value as Value)) {
            throw new TypeError(`is none of ${values.map((known) => `'${known}'`).join(', ')}`);
        }
        return value as Value;
    };
}
