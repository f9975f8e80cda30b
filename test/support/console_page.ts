const BLOCK = /(?<=^```console\n)[\s\S]*?(?=^```$)/gm;

/** One command of a block, as it is typed, and what it prints. */
export interface Session {
    readonly command: string;
    readonly output: string;
}

/**
 * What differs from run to run, and is not compared; docs/commands/README.md tells of it. Each rule sees what the ones
 * before it have left.
 */
const VARYING: readonly [pattern: RegExp, word: string][] = [
    [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?/g, '<moment>'],
    [/\b\d{4}-\d\d-\d\d\b/g, '<date>'],
    [/\b\d\d:\d\d(:\d\d)?\b/g, '<time>'],
    [/\b\d+(\.\d+)? (ms|s|min|h|d)\b( \d+ (min|h)\b)?/g, '<duration>'],
    [
        /("(?:duration|durationMs|lateBy|startedAt|endedAt|scheduledAt|next|pid|id|run)": )\d+(\.\d+)?/g,
        '$1<number>',
    ],
    [/(?<=paused by |by hand, by |requested by +|"(?:by|requestedBy)": ")[^\s"@]+@[\w.-]+/g, '<user>'],
    [/("host": )"[^"]*"/g, '$1"<host>"'],
    [/\bpid \d+/g, 'pid <number>'],
    [/^( +process +)\d+ on \S+$/gm, '$1<process>'],
    [/\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/g, '<id>'],
    // A column is as wide as its widest cell; deep in a line, so begins what goes on in it.
    [/^ {9,}/gm, '         '],
    [/(?<=\S) {2,}/g, '  '],
];

/** Finds the blocks of a page. */
export function blocksOf(page: string): Session[][] {
    return [...page.matchAll(BLOCK)].map(([block]) =>
        block
            .split(/^\$ /m)
            .slice(1)
            .map((session) => {
                const end = session.indexOf('\n');
                return { command: session.slice(0, end), output: session.slice(end + 1).trimEnd() };
            }),
    );
}

/** Puts other sessions into the blocks of a page. */
export function withBlocks(page: string, blocks: readonly (readonly Session[])[]): string {
    let index = 0;
    return page.replace(BLOCK, () =>
        (blocks[index++] ?? [])
            .map(({ command, output }) => `$ ${command}\n${output === '' ? '' : `${output}\n`}`)
            .join(''),
    );
}

/** Takes out of an output what differs from run to run. */
export function normalise(output: string): string {
    return VARYING.reduce((text, [pattern, word]) => text.replace(pattern, word), output);
}
