import { AppProcess, freePort } from './app_process.js';
import type { InstalledApp } from './installed_app.js';

/** How a terminal shows that somebody pressed Ctrl and C. */
const INTERRUPT = '^C';

/** A command of ours that needs no shell, and comes to an end by itself. */
const PLAIN = /^pinstripe-bot (?!start-)((?:'[^']*'|[^'"\\$|<>&;*?])*)$/;

/** What leaves the app's files as they are. */
const HARMLESS = /^(cat |echo \$\?$|pinstripe-bot )/;

/** A shell in an app, which knows its binaries by name and remembers the last exit code. */
export class Shell {
    readonly #app: InstalledApp;
    #code = 0;
    /** Whether the app's files may have changed: only another process imports them once more. */
    #isEdited = false;

    constructor(app: InstalledApp) {
        this.#app = app;
    }

    /** Runs a command line. */
    async run(command: string, expected: string): Promise<string> {
        const [, words] = PLAIN.exec(command) ?? [];
        if (words !== undefined && !this.#isEdited) {
            const { code, output } = await this.#app.call(wordsOf(words));
            this.#code = code;
            return output.replaceAll(this.#app.root, '/app').trimEnd();
        }
        this.#isEdited ||= !HARMLESS.test(command);
        return this.#runInShell(command, expected);
    }

    async #runInShell(command: string, expected: string): Promise<string> {
        const { root } = this.#app;
        const port = await freePort();
        const process = new AppProcess('sh', ['-c', `exec 2>&1\n(exit ${this.#code})\n${command}`], {
            cwd: root,
            env: {
                PATH: `${root}/node_modules/.bin:${globalThis.process.env['PATH']}`,
                PINSTRIPE_HOST: `127.0.0.1:${port}`,
            },
            ownGroup: true,
        });
        const lines = expected.split('\n').indexOf(INTERRUPT);
        let keys = 0;
        if (lines >= 0) {
            await process.printed(new RegExp(`^(.*\n){${lines}}`));
            keys = process.output.length;
            process.signal('SIGINT');
        }
        const { code, stdout } = await process.ended();
        this.#code = code;
        const text = lines < 0 ? stdout : `${stdout.slice(0, keys)}${INTERRUPT}\n${stdout.slice(keys)}`;
        return text.replaceAll(root, '/app').replaceAll(`:${port}`, ':3000').trimEnd();
    }
}

function wordsOf(line: string): string[] {
    return [...line.matchAll(/(?:'[^']*'|\S)+/g)].map(([word]) => word.replaceAll("'", ''));
}
