import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { after } from 'node:test';
import { patience, within } from './pace.js';
import { endWithUs } from './reaper.js';

export { freePort } from './free_port.js';

/** How long anything may take before a test gives it up, in milliseconds. */
const DEADLINE = patience(60_000);

/** How a process ended. */
export interface Ended {
    /** The exit code; as a shell has it (128 and the signal's number) where a signal ended the process. */
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** How to start a process: `ownGroup` makes it lead a process group, which then gets the signals, as from a terminal's keys. */
type ProcessOptions = { cwd: string; env?: NodeJS.ProcessEnv; ownGroup?: boolean; hasInput?: boolean };

const running = new Set<AppProcess>();

/** What all that still run have printed last, for whoever waits in vain. */
export const outputOfAll = (): string =>
    [...running].map((one) => `${one.pid}: …${one.output.slice(-1_000)}`).join('\n');

// A test that failed half-way has left its processes behind, which would keep its own process alive.
after(() => {
    for (const process of running) process.signal('SIGKILL');
});

/** A process that a test starts, listens to and signals. It never outlives the test's own process. */
export class AppProcess {
    stdout = '';
    stderr = '';
    readonly #child: ChildProcess;
    readonly #ownGroup: boolean;
    readonly #news = new EventEmitter().setMaxListeners(0);
    /** Resolves when it has ended, however long that takes. */
    readonly over: Promise<Ended>;

    constructor(
        command: string,
        args: readonly string[],
        { cwd, env, ownGroup = false, hasInput = false }: ProcessOptions,
    ) {
        const child = spawn(command, args, {
            cwd,
            env: { ...CLEAN_ENVIRONMENT, ...env },
            stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
            detached: ownGroup,
        }) as ChildProcess & { stdout: Readable; stderr: Readable };
        this.#child = child;
        this.#ownGroup = ownGroup;
        running.add(this);
        const forget = child.pid === undefined ? () => {} : endWithUs(ownGroup ? -child.pid : child.pid);
        for (const name of ['stdout', 'stderr'] as const)
            child[name].setEncoding('utf8').on('data', (text: string) => {
                this[name] += text;
                this.#news.emit('news');
            });
        this.over = new Promise((resolve, reject) => {
            child.on('error', reject);
            child.on('close', (code, signal) => {
                running.delete(this);
                forget();
                const { stdout, stderr } = this;
                resolve({ code: code ?? 128 + constants.signals[signal as NodeJS.Signals], stdout, stderr });
                this.#news.emit('news');
            });
        });
    }

    /** The id of the process. */
    get pid(): number {
        return this.#child.pid as number;
    }

    /** Everything that it has printed. */
    get output(): string {
        return `${this.stdout}${this.stderr}`;
    }

    /** Waits until it has printed something, on either output; it fails when the process ends without, or takes too long. */
    async printed(pattern: RegExp): Promise<RegExpExecArray> {
        return this.#until(`${pattern}`, () => pattern.exec(this.output) ?? undefined);
    }

    /** Waits until it has printed something several times; the pattern needs the flag `g`. */
    async printedTimes(pattern: RegExp, times: number): Promise<RegExpExecArray[]> {
        return this.#until(`${pattern}, ${times} times,`, () => {
            const matches = [...this.output.matchAll(pattern)];
            return matches.length >= times ? matches : undefined;
        });
    }

    /** Waits for its end, by itself or by a signal. */
    async ended(signal?: NodeJS.Signals): Promise<Ended> {
        if (signal) this.signal(signal);
        return within(this.over, () => this.#describe('the end'), DEADLINE);
    }

    /** Sends it a signal. */
    signal(signal: NodeJS.Signals): void {
        if (this.#ownGroup && running.has(this)) process.kill(-this.pid, signal);
        else this.#child.kill(signal);
    }

    /** Types on its input. */
    type(keys: string): void {
        this.#child.stdin?.write(keys);
    }

    async #until<T>(what: string, find: () => T | undefined): Promise<T> {
        const found = new Promise<T>((resolve, reject) => {
            const look = () => {
                const result = find();
                if (result !== undefined) resolve(result);
                else if (!running.has(this))
                    reject(new Error(`it has ended before: ${this.#describe(what)}`));
            };
            this.#news.on('news', look);
            look();
        });
        return within(found, () => this.#describe(what), DEADLINE);
    }

    #describe(what: string): string {
        const { stdout, stderr } = this;
        return `${what} of ${this.#child.spawnargs.join(' ')}\nstdout:\n${stdout}\nstderr:\n${stderr}`;
    }
}

/** What the test runner, npm and this machine have set must not decide how the app's processes behave. */
export const CLEAN_ENVIRONMENT = Object.fromEntries(
    Object.entries({ ...process.env, TZ: 'UTC' }).filter(
        ([name]) => !/^(CI$|COLUMNS$|GITHUB_|NODE_|npm_|PINSTRIPE_|NO_COLOR$|FORCE_COLOR$)/.test(name),
    ),
);
