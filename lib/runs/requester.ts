import { hostname, userInfo } from 'node:os';
import { BadOptionError } from '../text/bad_option_error.js';

/** The longest text that is accepted, in characters. */
const LONGEST = 500;

/** Reads who asks for something; default: `user@host` of this process. @throws BadOptionError for anything but a text */
export function readRequester(by: unknown): string {
    return readText('by', by) ?? thisUser();
}

/** Reads an optional text, without the spaces around it. @throws BadOptionError for anything else, naming the option */
export function readText(option: string, text: unknown): string | undefined {
    if (text === undefined) return undefined;
    const read = typeof text === 'string' ? text.trim() : '';
    if (read !== '' && read.length <= LONGEST) return read;
    throw new BadOptionError(`${option} is not a text of 1 to ${LONGEST} characters.`);
}

/** Who runs this process: `ada@web-1`. */
export function thisUser(): string {
    return `${userName()}@${hostname()}`;
}

// In a container a user may have a number alone.
function userName(): string {
    try {
        return userInfo().username;
    } catch {
        return `uid ${process.getuid?.()}`;
    }
}
