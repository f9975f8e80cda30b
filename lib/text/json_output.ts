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

type Write = typeof process.stdout.write;

let reserved: { readonly own: Write; readonly diverted: Write } | undefined;

/** Whether a command line, without the executable's name, asks for the JSON of one of our commands. */
export function wantsJson([name = '', ...words]: readonly string[]): boolean {
    if (!COMMANDS.includes(name.toLowerCase().replace(/[^a-z]/g, ''))) return false;
    if (words.includes('--help') || words.includes('-h')) return false;
    const flag = words.lastIndexOf('--json');
    return words.includes('--json=true') || (flag !== -1 && words[flag + 1] !== 'false');
}

/** Reserves standard output for `printJson`: whatever else is written there goes to standard error. */
export function reserveOutput(): void {
    const own = process.stdout.write;
    // Somebody else may have replaced it since it was reserved.
    if (own === reserved?.diverted) return;
    const diverted = ((...args: Parameters<Write>) => process.stderr.write(...args)) as Write;
    reserved = { own, diverted };
    process.stdout.write = diverted;
}

/** Prints the JSON of a command on standard output: a `version` and the fields of the report. */
export function printJson(report: object): void {
    const { write } = process.stdout;
    if (write === reserved?.diverted) process.stdout.write = reserved.own;
    console.log(JSON.stringify({ version: VERSION, ...report }, null, 4));
    process.stdout.write = write;
}
