/** How many characters of a run's output are kept: the last ones. */
export const MOST_OUTPUT = 65_536;

/** What an attempt of a run prints, until it is stored. */
export class Output {
    /** Whether nothing has been printed. */
    isEmpty = true;
    #fresh = '';

    add(text: string): void {
        this.isEmpty = false;
        this.#fresh += text;
        if (this.#fresh.length > 2 * MOST_OUTPUT) this.#fresh = this.#fresh.slice(-MOST_OUTPUT - 1);
    }

    /** What was printed since the last call. */
    take(): string {
        const fresh = this.#fresh;
        this.#fresh = '';
        return fresh;
    }
}

/** What is shown of a run's output: if it is too long, the end, from the start of a line. */
export function shownOutput(stored: string): string {
    if (stored.length <= MOST_OUTPUT) return stored;
    const end = stored.slice(-MOST_OUTPUT);
    return `…\n${end.slice(end.indexOf('\n') + 1)}`;
}
