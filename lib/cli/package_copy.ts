import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import { secondCopyMessage } from '../copies.js';
import { CliError } from './error.js';
import { type ProjectFolder, resolveFrom } from './project.js';

const OWN_ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** @returns the version in this package's package.json */
export async function ownVersion(): Promise<string> {
    return (await fs.readJson(join(OWN_ROOT, 'package.json'))).version;
}

/**
 * Finds the executable of the copy of this package that a project has, where that is not the one that is running: a
 * globally installed `pinstripe-bot` leaves the work to it, so that the app and its commands share one copy.
 *
 * @param project the project
 * @returns the file's path, or undefined where the project has this copy or none
 */
export async function otherBinary(project: ProjectFolder): Promise<string | undefined> {
    const manifestPath = resolveFrom(project.root, 'pinstripe-bot/package.json');
    if (manifestPath === undefined || join(dirname(manifestPath), '/') === OWN_ROOT) return undefined;
    const { bin } = await fs.readJson(manifestPath);
    const path: unknown = typeof bin === 'string' ? bin : bin?.['pinstripe-bot'];
    return typeof path === 'string' ? join(dirname(manifestPath), path) : undefined;
}

/**
 * Makes sure that there is a framework, and that a project and this package would load the same one: with two in one
 * process, what the plugin registers in one is missing in the other.
 *
 * @param project the project, or undefined outside of one
 * @throws CliError that says what to install
 */
export function checkFramework(project: ProjectFolder | undefined): void {
    if (project === undefined) {
        if (resolveFrom(OWN_ROOT, 'pinstripe') !== undefined) return;
        throw new CliError('the framework is not installed: run npm install pinstripe');
    }
    if (resolveFrom(project.root, 'pinstripe') === undefined) {
        throw new CliError(`pinstripe is not installed in ${project.root}: run npm install pinstripe`);
    }
    const complaint = secondCopyMessage(project.root, import.meta.url);
    if (complaint === undefined) return;
    if (resolveFrom(project.root, 'pinstripe-bot') === undefined) {
        throw new CliError(
            `pinstripe-bot is not installed in ${project.root}: run npm install pinstripe-bot`,
        );
    }
    throw new CliError(complaint);
}
