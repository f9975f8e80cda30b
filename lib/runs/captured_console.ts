import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { runStorage } from './active_run.js';
import type { Output } from './output.js';

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
    ] as const),
    ...(['info', 'log', 'table', 'time', 'timeEnd', 'timeLog', 'trace', 'warn'] as const),
];

type Write = (...args: unknown[]) => void;

/** A console of a run's own, with its own groups, timers and counts. */
const copies = new WeakMap<Output, Console>();

let isCaptured = false;

/** From now on, what a job writes by `console.*` is its run's output as well; it goes on appearing where it did. */
export function captureConsole(): void {
    if (isCaptured) return;
    isCaptured = true;
    for (const name of METHODS) {
        const write = console[name] as Write;
        console[name] = (...args: unknown[]) => {
            write(...args);
            const output = runStorage.getStore()?.output;
            if (output) (copyFor(output)[name] as Write)(...args);
        };
    }
}

function copyFor(output: Output): Console {
    const known = copies.get(output);
    if (known) return known;
    const stdout = new Writable({
        decodeStrings: false,
        write(text: string, _encoding, done) {
            output.add(text);
            done();
        },
    });
    const copy = new Console({ stdout, colorMode: false });
    copies.set(output, copy);
    return copy;
}
