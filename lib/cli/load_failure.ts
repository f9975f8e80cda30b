import { execFile } from 'node:child_process';
import { extname, join, relative } from 'node:path';
import fs from 'fs-extra';
import { messageOf } from '../text/errors.js';
import { CliError } from './error.js';
import { type Place, placeIn } from './place.js';
import type { ProjectFolder } from './project.js';

const MOST_FILES_CHECKED = 200;

/**
 * Says in one sentence why a project could not be loaded, and in which file.
 *
 * @param error what importing the project's files threw
 * @param project the project
 * @returns the error to report; its cause is the original
 */
export async function describeLoadFailure(error: unknown, project: ProjectFolder): Promise<CliError> {
    const failure = new CliError(`the project cannot be loaded: ${await reasonOf(error, project)}`);
    failure.cause = error;
    return failure;
}

async function reasonOf(error: unknown, { root, entry }: ProjectFolder): Promise<string> {
    if (!(error instanceof Error)) return messageOf(error);
    const place = firstPlace(error.stack ?? '', root);

    if (/'pinstripe' does not provide an export named 'BackgroundJob'/.test(error.message)) {
        const cure = place?.file.endsWith('_file_importer.js')
            ? "run 'pinstripe-bot init' to repair it"
            : "import it from 'pinstripe-bot'";
        return `${place?.file ?? 'a file'} imports BackgroundJob from 'pinstripe', which has none: ${cure}`;
    }
    const missing = /^Cannot find (package|module) '([^']+)' imported from (.+)$/.exec(error.message);
    if (missing) {
        const [, kind, name, importer] = missing as unknown as [string, string, string, string];
        const what =
            kind === 'package'
                ? `${name}, which is not installed`
                : `${relative(root, name)}, which does not exist`;
        return `${relative(root, importer)} imports ${what}`;
    }
    if (error instanceof SyntaxError && place === undefined && entry !== undefined) {
        const found = await findSyntaxError(entry, root, error.message);
        if (found) return `${found.file}:${found.at}: ${error.name}: ${error.message}`;
    }
    const reason = `${error.name}: ${firstLine(error.message)}`;
    if (place !== undefined) return `${place.file}:${place.at}: ${reason}`;
    const elsewhere = /file:\/\/[^\s()]+/.exec(error.stack ?? '')?.[0];
    return elsewhere === undefined ? reason : `${reason} (${elsewhere})`;
}

// Some versions of Node do not say in which imported file a syntax error is: let Node check the app's files, one by one.
async function findSyntaxError(entry: string, root: string, message: string): Promise<Place | undefined> {
    const files = [entry, ...(await scriptsBelow(join(entry, '..')))].slice(0, MOST_FILES_CHECKED);
    for (const file of files) {
        const output = await checkSyntax(file);
        const place = firstPlace(output, root);
        if (place !== undefined && output.includes(message)) return place;
    }
    return undefined;
}

async function scriptsBelow(folder: string): Promise<string[]> {
    const entries = await fs.readdir(folder, { withFileTypes: true });
    const nested = entries
        .filter((entry) => entry.name !== 'node_modules')
        .map((entry) => {
            const path = join(folder, entry.name);
            if (entry.isDirectory()) return scriptsBelow(path);
            return ['.js', '.mjs'].includes(extname(path)) ? [path] : [];
        });
    return (await Promise.all(nested)).flat();
}

function firstPlace(stack: string, root: string): Place | undefined {
    const places = stack.split('\n').map((line) => placeIn(line, root));
    return places.find((place) => place !== undefined);
}

function checkSyntax(file: string): Promise<string> {
    return new Promise((resolve) => {
        execFile(process.execPath, ['--check', file], (_error, _stdout, stderr) => resolve(stderr));
    });
}

function firstLine(text: string): string {
    return text.split('\n', 1)[0] as string;
}
