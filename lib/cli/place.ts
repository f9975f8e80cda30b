import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where in the app's own code something is. */
export interface Place {
    /** The file, relative to the project's root. */
    readonly file: string;
    /** The line, and the column where it is known: `3`, `3:14`. */
    readonly at: string;
}

const ANY_PLACE = /(file:\/\/\/[^\s()]+?|(?<![\w:/])\/[^():]+?):(\d+(?::\d+)?)(?=\)|\s|$)/;

/**
 * Finds the place in the app's code that a line of a stack names.
 *
 * @param line one line of an error's stack
 * @param root the project's root
 * @returns the place, or undefined where there is none, or it is in a package's code or outside of the project
 */
export function placeIn(line: string, root: string): Place | undefined {
    const [, name, at] = ANY_PLACE.exec(line) ?? [];
    if (name === undefined || at === undefined) return undefined;
    const file = relative(root, name.startsWith('file:') ? fileURLToPath(name) : name);
    return file.startsWith('..') || file.split('/').includes('node_modules') ? undefined : { file, at };
}
