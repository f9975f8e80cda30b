import { eolOf, maskSource } from './source_code.js';

const NAMED = /(?<![.\w$])(import|export)\s*\{([^}]*)\}\s*from\s*(['"])(\s*)\3/g;

/**
 * Makes a file take `BackgroundJob` from `pinstripe-bot` that takes it from `pinstripe`, which has none.
 *
 * @param code a JavaScript file, usually `lib/background_jobs/_file_importer.js`
 * @returns the file with those imports and re-exports changed, everything else as it was
 */
export function repairFileImporter(code: string): string {
    return [...maskSource(code).matchAll(NAMED)].reverse().reduce((repaired, match) => {
        const end = match.index + match[0].length;
        const [keyword, names, quote] = [match[1], match[2], match[3]] as [string, string, string];
        const specifier = code.slice(end - 1 - (match[4] as string).length, end - 1);
        if (specifier !== 'pinstripe') return repaired;
        const all = names.split(',').filter((name) => name.trim() !== '');
        const moved = all.filter(isBackgroundJob);
        if (moved.length === 0) return repaired;

        const statement = (list: string[], source: string) =>
            `${keyword} {${list.length === all.length ? names : ` ${list.map((name) => name.trim()).join(', ')} `}} from ${quote}${source}${quote}`;
        const kept = all.filter((name) => !isBackgroundJob(name));
        const rest = kept.length === 0 ? '' : `;${eolOf(code)}${statement(kept, 'pinstripe')}`;
        return (
            repaired.slice(0, match.index) + statement(moved, 'pinstripe-bot') + rest + repaired.slice(end)
        );
    }, code);
}

function isBackgroundJob(name: string): boolean {
    return /^\s*BackgroundJob\b/.test(name);
}
