/** The version of all JSON that the commands print: it grows when a field changes its meaning, or goes. */
const VERSION = 1;

/** Prints an object for programs. */
export function printJson(fields: object): void {
    console.log(JSON.stringify({ version: VERSION, ...fields }, null, 4));
}
