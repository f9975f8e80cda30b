/** The version of all JSON that the commands print: it grows when a field changes its meaning, or goes. */
const VERSION = 1;

/** Our commands that take `--json`, without hyphens: the framework takes them in any spelling. */
const COMMANDS = [
    'checkbackgroundjobs',
    'listbackgroundjobs',
    'previewbackgroundjobs',
    'runbackgroundjob',
    'runbackgroundjobs',
    'showbackgroundjob',
];

/** Gives standard output back; undefined: it is not reserved. */
let release: (() => void) | undefined;

/** Tells whether a command line, without the executable's name, asks for the JSON of one of our commands. */
export function wantsJson([name = '', ...words]: readonly string[]): boolean {
    if (!COMMANDS.includes(name.toLowerCase().replace(/[^a-z]/g, ''))) return false;
    if (words.includes('--help') || words.includes('-h')) return false;
    const flag = words.lastIndexOf('--json');
    return words.includes('--json=true') || (flag !== -1 && words[flag + 1] !== 'false');
}

/**
 * Reserves standard output for what `printJson` prints: whatever else is written there goes to standard error.
 *
 * @returns ends it, where it was not reserved before
 */
export function reserveOutput(): () => void {
    if (release) return () => {};
    const { write } = process.stdout;
    process.stdout.write = ((...args: Parameters<typeof write>) =>
        process.stderr.write(...args)) as typeof write;
    release = () => {
        process.stdout.write = write;
        release = undefined;
    };
    return () => release?.();
}

/** Prints the JSON of a command on standard output: a `version`, and the fields of the report. */
export function printJson(report: object): void {
    const wasReserved = release !== undefined;
    release?.();
    console.log(JSON.stringify({ version: VERSION, ...report }, null, 4));
    if (wasReserved) reserveOutput();
}
