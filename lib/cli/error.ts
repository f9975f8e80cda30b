/** The exit code of a command that failed. */
export const FAILURE = 1;

/** The exit code of a command line that was not understood. */
export const USAGE = 2;

/** An error whose message is all that its reader needs: it is printed alone, without a stack. */
export class CliError extends Error {}

/** What a command line gets that was understood, but asks for what its command refuses. */
export class UsageError extends CliError {}
