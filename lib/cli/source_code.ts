// Strings end at their line's end at the latest, so that a quote in a place that this does not understand (a regular
// expression after a word, say) hides no more than the rest of its line.
const NOT_CODE = new RegExp(
    [
        /^#![^\r\n]*/,
        /\/\/[^\r\n]*/,
        /\/\*[\s\S]*?(?:\*\/|$)/,
        /'(?:\\[\s\S]|[^'\\\r\n])*'?/,
        /"(?:\\[\s\S]|[^"\\\r\n])*"?/,
        /`(?:\\[\s\S]|[^`\\])*`?/,
        /(?<=(?:^|[=(,:;!&|?{}[]|\breturn)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\r\n])*\]|[^/\\[\r\n])+\//,
    ]
        .map((pattern) => pattern.source)
        .join('|'),
    'g',
);

const SPECIFIER = /(?<![.\w$])(?:from|import(?:\s*\()?)\s*(['"])/g;
const IMPORT_STATEMENT = /(?<![.\w$])import(?:\s*|[\s{*][^'"();]*\bfrom\s*)(['"])/g;
const REST_OF_IMPORT = /^[^\r\n'"]*['"][^\S\r\n]*(?:with\s*\{[^}\r\n]*\})?[^\S\r\n]*;?[^\S\r\n]*(?=[\r\n]|$)/;

/**
 * Blanks comments, and what stands inside strings, templates and regular expressions.
 *
 * @param code a JavaScript file
 * @returns the same number of characters, in the same lines
 */
export function maskSource(code: string): string {
    return code.replace(NOT_CODE, (text) => {
        const isString = /^['"`]/.test(text) && text.length > 1 && text.endsWith(text.charAt(0));
        return isString ? text.charAt(0) + blank(text.slice(1, -1)) + text.charAt(0) : blank(text);
    });
}

/**
 * Lists what a file imports or re-exports, statically or not, in the order of the file.
 *
 * @param code a JavaScript file
 * @returns the specifiers
 */
export function specifiersOf(code: string): string[] {
    const mask = maskSource(code);
    return [...mask.matchAll(SPECIFIER)].map((match) => {
        const start = match.index + match[0].length;
        return code.slice(start, mask.indexOf(match[1] as string, start));
    });
}

/**
 * Tells whether a file is written as a CommonJS module.
 *
 * @param code a JavaScript file
 * @returns true where it calls `require` or sets `module.exports`, and has no `import` or `export`
 */
export function isCommonJs(code: string): boolean {
    const mask = maskSource(code);
    const isModule = /^[^\S\r\n]*(?:import(?:\s*['"{*]|\s+[\w$])|export\b)|\bimport\s*\.\s*meta\b/m.test(
        mask,
    );
    return !isModule && /(?<![.\w$])(?:require\s*\(|module\s*\.\s*exports\b|exports\s*\.)/.test(mask);
}

/**
 * Adds a line to a file, below its imports, or above its code where it has none.
 *
 * @param code a JavaScript file
 * @param statement an import statement, without a line's end
 * @returns the file with the line in it, everything else unchanged
 */
export function addImport(code: string, statement: string): string {
    const mask = maskSource(code);
    const eol = eolOf(code);
    const last = [...mask.matchAll(IMPORT_STATEMENT)].at(-1);
    if (last === undefined) {
        const firstCode = mask.search(/\S/);
        if (firstCode >= 0) return insert(code, firstCode, `${statement}${eol}${eol}`);
        return `${code}${code === '' || /[\r\n]$/.test(code) ? '' : eol}${statement}${eol}`;
    }
    const quote = last.index + last[0].length;
    const rest = REST_OF_IMPORT.exec(mask.slice(quote));
    if (rest === null) return insert(code, last.index, `${statement}${eol}`);
    return insert(code, quote + rest[0].length, `${eol}${statement}`);
}

/**
 * Tells how a text ends its lines.
 *
 * @param text any text
 * @returns `'\r\n'` where its first line ends so, else `'\n'`
 */
export function eolOf(text: string): string {
    return /^[^\r\n]*\r\n/.test(text) ? '\r\n' : '\n';
}

function blank(text: string): string {
    return text.replace(/[^\r\n]/g, ' ');
}

function insert(text: string, index: number, addition: string): string {
    return text.slice(0, index) + addition + text.slice(index);
}
