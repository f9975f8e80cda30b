/** The folder of this package's code, as stacks name it. */
const OWN_FOLDER = new URL('..', import.meta.url).href;

const FRAME = /^\s+at /;
const FRAME_OF_NODE = /\(?node:/;
const FRAME_OF_PACKAGE = /[/\\]node_modules[/\\]/;

/** Where other installations of it have the same. */
const INSTALLED_FOLDER = '/node_modules/pinstripe-bot/';

/** How deep causes are followed: an error may be its own. */
const DEEPEST = 5;

/**
 * Writes an error with its stack from the app's code on, and what caused it.
 *
 * @param error the error
 * @param depth how many causes lead here
 * @returns its name and message, the frames, and the same of its causes; without a line's end
 */
export function traceOf(error: Error, depth = 0): string {
    const causes = depth === DEEPEST ? [] : causesOf(error);
    return [appStack(error), ...causes.map((cause) => `caused by ${traceOf(cause, depth + 1)}`)].join('\n');
}

/**
 * Makes of an error what JSON can carry, `code`, causes and the errors of an AggregateError included.
 *
 * @param error the error
 * @param depth how many causes lead here
 * @returns its name, message, and stack from the app's code on
 */
export function recordOfError(error: Error, depth = 0): object {
    const { name, message, code } = error as NodeJS.ErrnoException;
    const causes = depth === DEEPEST ? [] : causesOf(error).map((cause) => recordOfError(cause, depth + 1));
    return {
        name,
        message,
        ...(typeof code === 'string' && { code }),
        stack: appStack(error),
        ...(causes.length > 0 && { causes }),
    };
}

function causesOf(error: Error): Error[] {
    const { cause, errors } = error as Partial<AggregateError>;
    return [cause, ...(Array.isArray(errors) ? errors : [])].filter((one) => one instanceof Error);
}

function isOwn(frame: string): boolean {
    return frame.includes(OWN_FOLDER) || frame.includes(INSTALLED_FOLDER);
}

function appStack(error: Error): string {
    return stackOfApp(error.stack || `${error.name}: ${error.message}`);
}

/**
 * Takes from a stack what leads nobody to a mistake: Node's own frames, and what called the job's `run()`, which is always
 * the same.
 *
 * @param stack an error's
 * @returns its message, and the frames from the app's code on
 */
export function stackOfApp(stack: string): string {
    const lines = stack.split('\n');
    const firstFrame = lines.findIndex((line) => FRAME.test(line));
    if (firstFrame === -1) return stack;
    const frames = lines.slice(firstFrame);
    const ours = frames.findIndex((line) => isOwn(line));
    const theirs = (ours === -1 ? frames : frames.slice(0, ours)).filter((line) => !FRAME_OF_NODE.test(line));
    const start = theirs.findIndex((line) => !FRAME_OF_PACKAGE.test(line));
    return [...lines.slice(0, firstFrame), ...theirs.slice(Math.max(start, 0))].join('\n');
}
