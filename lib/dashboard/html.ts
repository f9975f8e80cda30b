/** HTML that is safe to send. */
export class Html {
    constructor(readonly text: string) {}
}

export type Value = Html | string | number | false | null | undefined | readonly Value[];

const ENTITIES: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
};

/** Makes HTML of a template. Whatever is put in, and is no Html, is escaped: it cannot end a text, nor an attribute in quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
    return new Html(
        strings.reduce((text, string, index) => text + textOf(values[index - 1] as Value) + string),
    );
}

function textOf(value: Value): string {
    if (value instanceof Html) return value.text;
    if (value === false || value === null || value === undefined) return '';
    if (typeof value === 'object') return value.map(textOf).join('');
    return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
