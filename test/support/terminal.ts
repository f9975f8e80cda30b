import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { AppProcess } from './app_process.js';
import type { Binary, InstalledApp } from './installed_app.js';

/** What the keys Ctrl and C send. */
export const CTRL_C = '\u0003';

/** Why there is no terminal to test on; false where there is one. */
export const NO_TERMINAL: string | false = spawnSync('script', ['--version']).error
    ? 'script(1), which lends a terminal, is not installed'
    : false;

/** Starts a command in a real terminal of 24 lines. */
export function startInTerminal(
    app: InstalledApp,
    binary: Binary,
    args: readonly string[],
    { columns = 80, env = {} }: { columns?: number; env?: Record<string, string> } = {},
): AppProcess {
    const words = [process.execPath, `${app.root}/node_modules/.bin/${binary}`, ...args];
    const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const command = `stty cols ${columns} rows 24; exec ${line}`;
    return new AppProcess('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
        cwd: app.root,
        env: { TERM: 'xterm-256color', ...env },
        hasInput: true,
    });
}

/** Takes from what a terminal got all that is not text. */
export function plain(output: string): string {
    return stripVTControlCharacters(output).replaceAll('\r\n', '\n');
}
