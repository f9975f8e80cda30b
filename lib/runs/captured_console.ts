import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { runStorage } from './active_run.js';

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
