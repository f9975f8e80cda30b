import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `at run (file:///app/lib/a.js:12:15)`, `at async /app/lib/a.js:12:15` */
const FRAME = /^\s*at (?:.*\()?(?:async )?((?:file:\/\/|\/|[A-Za-z]:\\).+?):(\d+):(\d+)\)?$/gm;

/** The first place in an error's stack that is the app's own code: `'lib/background_jobs/fetch_prices.js:12:15'`. */
export function thrownAt(stack: string, root: string): string | undefined {
    for (const [, place = '', line, column] of stack.matchAll(FRAME)) {
        // What a loader adds behind the path is no part of it.
        const file = place.startsWith('file://') ? fileURLToPath(place.replace(/[?#].*$/, '')) : place;
        const path = relative(root, file);
        if (!isAbsolute(path) && !/^\.\.|(^|[\\/])node_modules[\\/]/.test(path))
            return `${path}:${line}:${column}`;
    }
    return undefined;
}
