import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { AppProcess, type Ended } from './app_process.js';
import type { InstalledApp } from './installed_app.js';

/** Why there is no terminal to test on; false where there is one. */
export const NO_TERMINAL: string | false = spawnSync('script', ['--version']).error
    ? 'script(1), which lends a terminal, is not installed'
    : false;

/**
 * Runs a command of pinstripe-bot on a terminal.
 *
 * @param app where
 * @param words the command line, quoted for a shell
 * @param options how wide the terminal is, and what differs from the environment of the tests
 * @returns how it ended
 */
export function onTerminal(
    { root }: InstalledApp,
    words: string,
    { columns = 80, env = {} }: { columns?: number; env?: Record<string, string> } = {},
): Promise<Ended> {
    const command = `stty cols ${columns}; ${process.execPath} node_modules/.bin/pinstripe-bot ${words}`;
    const options = { cwd: root, env: { TERM: 'xterm', ...env } };
    return new AppProcess('script', ['-qec', command, '/dev/null'], options).ended();
}

/**
 * Takes from what a terminal got all that is not text.
 *
 * @param text with colours and carriage returns
 * @returns plain lines
 */
export function plain(text: string): string {
    return stripVTControlCharacters(text).replaceAll('\r\n', '\n');
}
