import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { runStorage } from './active_run.js';

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

const METHODS = [
    ...([
        'assert',
        'count',
        'debug',
        'dir',
        'dirxml',
        'error',
        'group',
        'groupCollapsed',
        'groupEnd',
        'info',
    ] as const),
    ...(['log', 'table', 'time', 'timeEnd', 'timeLog', 'trace', 'warn'] as const),
];

let isCaptured = false;

/** From now on, what a job writes by `console.*` is its run's output as well; it goes on appearing where it did. */
export function captureConsole(): void {
    if (isCaptured) return;
    isCaptured = true;
    let text = '';
    const stdout = new Writable({
        decodeStrings: false,
        write(chunk: string, _encoding, done) {
            text += chunk;
            done();
        },
    });
    const copy = new Console({ stdout, colorMode: false });
    for (const name of METHODS) {
        const write = console[name] as (...args: unknown[]) => void;
        const writeCopy = (copy[name] as (...args: unknown[]) => void).bind(copy);
        console[name] = (...args: unknown[]) => {
            write(...args);
            const output = runStorage.getStore()?.output;
            if (!output) return;
            text = '';
            writeCopy(...args);
            if (text !== '') output.add(text);
        };
    }
}
