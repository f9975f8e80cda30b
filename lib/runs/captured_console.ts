import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { runStorage } from './active_run.js';
import type { Output } from './output.js';

type Methods = Record<string, (...args: unknown[]) => void>;

/** A console for each run, with its own groups, timers and counts. */
const copies = new WeakMap<Output, Methods>();

let isCaptured = false;

/** From now on, what a job writes by `console.*` is also its run's output. */
export function captureConsole(): void {
    if (isCaptured) return;
    isCaptured = true;
    const methods = console as unknown as Methods;
    for (const name of Object.keys(new Console(process.stdout))) {
        const write = methods[name];
        methods[name] = (...args) => {
            write?.(...args);
            const output = runStorage.getStore()?.output;
            if (output) copyFor(output)[name]?.(...args);
        };
    }
}

function copyFor(output: Output): Methods {
    const known = copies.get(output);
    if (known) return known;
    const stdout = new Writable({
        decodeStrings: false,
        write(text: string, _encoding, done) {
            output.add(text);
            done();
        },
    });
    const copy = new Console({ stdout, colorMode: false }) as unknown as Methods;
    copies.set(output, copy);
    return copy;
}
