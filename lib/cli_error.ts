/** The exit code of a command that failed. */
export const FAILURE = 1;

/** The exit code of a command that was not understood. */
export const USAGE = 2;

/** An error whose message is all that its reader needs: it is printed alone, without a stack. */
export class CliError extends Error {
    /** What the process exits with. */
    readonly exitCode: number;

    /**
     * @param message what is wrong and what to do
     * @param exitCode what the process exits with
     */
    constructor(message: string, exitCode: number = FAILURE) {
        super(message);
        this.name = 'CliError';
        this.exitCode = exitCode;
    }
}
