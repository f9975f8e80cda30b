import { pathToFileURL } from 'node:url';
import type { ErrorRecord } from '../text/errors.js';

/**
 * Finds the line of a file that an error points to.
 *
 * @param error the error
 * @param file the file's absolute path
 * @returns the first line of that file in its message or stack; undefined where there is none
 */
export function lineInStack(
    { message, stack }: Pick<ErrorRecord, 'message' | 'stack'>,
    file: string,
): number | undefined {
    const text = `${message}\n${stack}`;
    const places = [pathToFileURL(file).href, file].flatMap((name) => {
        const at = text.indexOf(`${name}:`);
        return at === -1 ? [] : [{ at, rest: text.slice(at + name.length) }];
    });
    const [first] = places.sort((a, b) => a.at - b.at);
    const line = /^:(\d+)/.exec(first?.rest ?? '')?.[1];
    return line === undefined ? undefined : Number(line);
}
