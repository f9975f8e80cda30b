/** The version of all JSON that the commands print. It grows when a field is removed or changes its meaning. */
const VERSION = 1;

/** Our commands that have `--json`, without hyphens: the framework accepts any spelling. */
const COMMANDS = [
    'checkbackgroundjobs',
    'checkhealth',
    'listbackgroundjobs',
    'previewbackgroundjobs',
    'runbackgroundjob',
    'runbackgroundjobs',
    'showbackgroundjob',
];

let reserved: { readonly diverted: typeof process.stdout.write; release(): void } | undefined;

/** Whether a command line, without the executable's name, asks for the JSON of one of our commands. */
export function wantsJson([name = '', ...words]: readonly string[]): boolean {
    if (!COMMANDS.includes(name.toLowerCase().replace(/[^a-z]/g, ''))) return false;
    if (words.includes('--help') || words.includes('-h')) return false;
    const flag = words.lastIndexOf('--json');
    return words.includes('--json=true') || (flag !== -1 && words[flag + 1] !== 'false');
}

/**
 * Reserves standard output for `printJson`: whatever else is written there goes to standard error.
 *
 * @returns ends the reservation, if this call made it
 */
export function reserveOutput(): () => void {
    if (isReserved()) return () => {};
    const { write } = process.stdout;
    const diverted = ((...args: Parameters<typeof write>) => process.stderr.write(...args)) as typeof write;
    const release = () => {
        process.stdout.write = write;
    };
    process.stdout.write = diverted;
    reserved = { diverted, release };
    return release;
}

/** Prints the JSON of a command on standard output: a `version` and the fields of the report. */
export function printJson(report: object): void {
    const wasReserved = isReserved();
    if (wasReserved) reserved?.release();
    console.log(JSON.stringify({ version: VERSION, ...report }, null, 4));
    if (wasReserved) reserveOutput();
}

// Somebody else may have replaced `write` since.
function isReserved(): boolean {
    return reserved !== undefined && process.stdout.write === reserved.diverted;
}
