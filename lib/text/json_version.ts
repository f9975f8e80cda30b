/** The version of all JSON that the commands print: it grows when a field changes its meaning, or goes. */
export const JSON_VERSION = 1;
