import { join } from 'node:path';
import { maskSource } from '../cli/source_code.js';
import { splitTimezone } from '../schedule/crontab.js';

const LITERAL = /(['"`])\s*?\1/g;
const CALL = /(?<![\w$])schedule\s*\(/g;

/**
 * Finds the line of one of a job's `schedule()` calls: by its crontab, where that stands in the file, else by counting
 * the calls.
 *
 * @param source the text of the job's file
 * @param crontabs the first argument of each of the job's calls, in order
 * @param index which of them, from 0
 * @returns the line, from 1; undefined where it cannot be told
 */
export function lineOfSchedule(
    source: string,
    crontabs: readonly unknown[],
    index: number,
): number | undefined {
    const mask = maskSource(source);
    const wanted = crontabs[index];
    const calls = [...mask.matchAll(CALL)];
    if (typeof wanted === 'string') {
        const literals = literalsOf(source, mask).filter(({ text }) => normalise(text) === normalise(wanted));
        const inCalls = literals.filter(({ at }) => /(?<![\w$])schedule\s*\(\s*$/.test(mask.slice(0, at)));
        const places = inCalls.length > 0 ? inCalls : literals;
        const earlier = crontabs
            .slice(0, index)
            .filter((other) => typeof other === 'string' && normalise(other) === normalise(wanted)).length;
        const place = places[Math.min(earlier, places.length - 1)];
        if (place !== undefined) return lineAt(source, place.at);
    }
    const call = calls.length === crontabs.length ? calls[index] : undefined;
    return call && lineAt(source, call.index);
}

/**
 * Finds the line that gives a property of a job's definition its value.
 *
 * @param source the text of the job's file
 * @param property its name
 * @returns the line, from 1; undefined where it cannot be told
 */
export function lineOfProperty(source: string, property: string): number | undefined {
    const pattern = new RegExp(`(?<![\\w$])${patternOf(property)}\\s*(?:[:(]|=(?!=))`);
    const found = pattern.exec(maskSource(source));
    return found ? lineAt(source, found.index) : undefined;
}

/**
 * Finds the line of a file's default export.
 *
 * @param source the text of the file
 * @returns the line, from 1; undefined where there is none
 */
export function lineOfDefaultExport(source: string): number | undefined {
    const found = /(?<![\w$.])export\s+default\b/.exec(maskSource(source));
    return found ? lineAt(source, found.index) : undefined;
}

/**
 * Finds the line of an import that leads nowhere.
 *
 * @param source the text of the file
 * @param file its absolute path
 * @param reason what Node says: `Cannot find module '/app/x.js' imported from ...`
 * @returns the line, from 1; undefined where it speaks of something else
 */
export function lineOfMissingImport(source: string, file: string, reason: string): number | undefined {
    const missing = /Cannot find (?:module|package) '([^']+)' imported from (\S+)/.exec(reason);
    if (missing === null || missing[2] !== file) return undefined;
    const found = literalsOf(source, maskSource(source)).find(
        ({ text }) => text === missing[1] || join(file, '..', text) === missing[1],
    );
    return found && lineAt(source, found.at);
}

interface Literal {
    readonly at: number;
    readonly text: string;
}

function literalsOf(source: string, mask: string): Literal[] {
    return [...mask.matchAll(LITERAL)].map(({ index, 0: quoted }) => ({
        at: index,
        text: source.slice(index + 1, index + quoted.length - 1),
    }));
}

function normalise(text: string): string {
    const { crontab, timezone } = splitTimezone(text);
    return `${timezone ?? ''} ${crontab}`;
}

function lineAt(source: string, index: number): number {
    return source.slice(0, index).split('\n').length;
}

function patternOf(text: string): string {
    return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
