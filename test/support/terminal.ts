import { stripVTControlCharacters } from 'node:util';
import { AppProcess } from './app_process.js';
import type { Binary, InstalledApp } from './installed_app.js';

/** What the keys Ctrl and C send. */
export const CTRL_C = '\u0003';

/** What goes to the start of the line, and erases it. */
export const ERASE = '\r\u001b[K';

/**
 * Starts a command in a real terminal of 24 lines and 80 columns.
 *
 * @param app the app
 * @param binary whose command it is
 * @param args the command's name and its arguments
 * @param env what differs from the environment of the tests
 * @param pipe what its output goes through: `'| cat'`
 * @returns the process; both its outputs are its `stdout`, as the terminal got them
 */
export function startInTerminal(
    app: InstalledApp,
    binary: Binary,
    args: readonly string[],
    env: Record<string, string> = {},
    pipe = '',
): AppProcess {
    const words = [process.execPath, `${app.root}/node_modules/.bin/${binary}`, ...args];
    const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    return new AppProcess(
        'script',
        [
            '--quiet',
            '--return',
            '--flush',
            '--command',
            `stty cols 80 rows 24; exec ${line} ${pipe}`,
            '/dev/null',
        ],
        { cwd: app.root, env: { TERM: 'xterm-256color', ...env }, hasInput: true },
    );
}

/**
 * What can be read on a terminal's screen in the end.
 *
 * @param output what the terminal got
 * @returns its lines, without colours; a line that was erased shows what was written after that
 */
export function screenOf(output: string): string[] {
    const lines = output.trimEnd().split('\r\n');
    return lines.map((line) => stripVTControlCharacters(line.split(ERASE).at(-1) ?? ''));
}
