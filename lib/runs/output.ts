/** As many characters of what a run has printed are kept: the last ones. */
export const MOST_OUTPUT = 65_536;

/** What an attempt of a run prints, on its way into the store. */
export class Output {
    /** Whether it has printed anything. */
    isEmpty = true;
    #fresh = '';

    add(text: string): void {
        this.isEmpty = false;
        this.#fresh += text;
        if (this.#fresh.length > 2 * MOST_OUTPUT) this.#fresh = this.#fresh.slice(-MOST_OUTPUT - 1);
    }

    /** What came since this was called before. */
    take(): string {
        const fresh = this.#fresh;
        this.#fresh = '';
        return fresh;
    }
}

/** What is shown of a run's output: where it is too long, from a line's beginning on. */
export function shownOutput(stored: string): string {
    if (stored.length <= MOST_OUTPUT) return stored;
    const end = stored.slice(-MOST_OUTPUT);
    return `…\n${end.slice(end.indexOf('\n') + 1)}`;
}
