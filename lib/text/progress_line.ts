import stringWidth from 'string-width';

/** How often it is written anew, in milliseconds: what ends sooner needs no progress. */
const EVERY = 1_000;

/** To the start of the line, and nothing on it. */
const ERASE = '\r\u001b[K';

/** A line's end, as a byte. */
const NEW_LINE = 10;

/**
 * A line at the bottom of a terminal that says how long something takes, and gets out of the way of whatever else is
 * written: it stands alone or not at all, so not while a job has a line unfinished. (ora would write over such a line,
 * and hide the cursor.)
 */
export class ProgressLine {
    // Before it is watched.
    readonly #write = process.stderr.write.bind(process.stderr);
    readonly #unhook: (() => void)[];
    readonly #timer: NodeJS.Timeout;
    #isShown = false;
    #isAtLineStart = true;

    /**
     * Shows a line on standard error, where both outputs are a terminal that somebody looks at: what a pipe leads to
     * may write to the same terminal, and knows nothing of the line.
     *
     * @param sentence asked for it each second
     * @returns the line; undefined elsewhere, in a terminal that cannot erase (`TERM=dumb`), and where `CI` is set
     */
    static show(sentence: () => string): ProgressLine | undefined {
        const { TERM, CI } = process.env;
        const isTerminal = process.stdout.isTTY && process.stderr.isTTY && TERM !== 'dumb';
        return isTerminal && !CI ? new ProgressLine(sentence) : undefined;
    }

    private constructor(private readonly sentence: () => string) {
        this.#unhook = [process.stdout, process.stderr].map((stream) => this.#watch(stream));
        const leave = () => this.#erase();
        process.on('exit', leave);
        this.#unhook.push(() => process.off('exit', leave));
        this.#timer = setInterval(() => this.#draw(), EVERY);
    }

    /** Takes the line away, for good. */
    remove(): void {
        clearInterval(this.#timer);
        this.#erase();
        for (const unhook of this.#unhook) unhook();
    }

    #watch(stream: NodeJS.WriteStream): () => void {
        const { write } = stream;
        const watched = (...args: Parameters<typeof write>) => {
            this.#erase();
            const last = args[0].at(-1);
            if (last !== undefined) this.#isAtLineStart = last === '\n' || last === NEW_LINE;
            return write.apply(stream, args);
        };
        stream.write = watched as typeof write;
        return () => {
            stream.write = write;
        };
    }

    #draw(): void {
        this.#erase();
        if (!this.#isAtLineStart) return;
        this.#write(cut(this.sentence(), (process.stderr.columns || 80) - 1));
        this.#isShown = true;
    }

    #erase(): void {
        if (!this.#isShown) return;
        this.#isShown = false;
        this.#write(ERASE);
    }
}

/**
 * Writes how long something has been going on, as a stopwatch shows it.
 *
 * @param milliseconds how long
 * @returns `'0:07'`, `'12:07'`, `'1:02:07'`
 */
export function stopwatch(milliseconds: number): string {
    const seconds = Math.floor(milliseconds / 1000);
    const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
    if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
    return parts.map((part, index) => (index === 0 ? part : String(part).padStart(2, '0'))).join(':');
}

function cut(text: string, width: number): string {
    if (stringWidth(text) <= width) return text;
    const characters = [...text];
    while (characters.length > 0 && stringWidth(characters.join('')) > width - 1) characters.pop();
    return `${characters.join('')}…`;
}
