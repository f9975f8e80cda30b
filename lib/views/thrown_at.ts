import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `at run (file:///app/lib/a.js:12:15)`, `at async /app/lib/a.js:12:15` */
const FRAME = /^\s*at (?:.*\()?(?:async )?((?:file:\/\/|\/|[A-Za-z]:\\).+?):(\d+):(\d+)\)?$/gm;

/**
 * Finds where an error was thrown, or the last place of the app on the way there: the first line of its stack that is
 * neither Node's nor an installed package's.
 *
 * @param root the folder of the app, absolute
 * @returns `'lib/background_jobs/fetch_prices.js:12:15'`
 */
export function thrownAt(stack: string, root: string): string | undefined {
    for (const [, place = '', line, column] of stack.matchAll(FRAME)) {
        const path = relative(root, pathOf(place));
        const isOfApp =
            !path.startsWith('..') && !isAbsolute(path) && !/(^|[\\/])node_modules[\\/]/.test(path);
        if (isOfApp) return `${path}:${line}:${column}`;
    }
    return undefined;
}

function pathOf(place: string): string {
    // What a loader adds behind the path is no part of it.
    return place.startsWith('file://') ? fileURLToPath(place.replace(/[?#].*$/, '')) : place;
}
