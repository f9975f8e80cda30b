import { pathToFileURL } from 'node:url';
import { Command, importAll } from '../framework.js';
import { describeLoadFailure } from './load_failure.js';
import type { ProjectFolder } from './project.js';

const PLUGIN = Symbol.for('pinstripe-bot');
const FOR_EVERYWHERE = ['generate-project', 'list-commands'];
const FOR_NEW_PROJECTS = ['generate-project', 'initialize-project'];

/**
 * Loads the app's code as the framework's own executable does, and then the plugin, where the app has not done so.
 *
 * @param project the project
 * @returns whether the app loads the plugin by itself
 * @throws CliError that names the file and the reason
 */
export async function loadApp(project: ProjectFolder): Promise<boolean> {
    const strays: unknown[] = [];
    const note = (reason: unknown): number => strays.push(reason);
    // Few apps wait for their own `importAll()`: when it fails before we wait for it, that is a stray rejection.
    process.on('unhandledRejection', note);
    try {
        if (project.entry !== undefined) await import(pathToFileURL(project.entry).href);
        await importAll();
        if (strays.length > 0) throw strays[0];
    } catch (error) {
        throw await describeLoadFailure(error, project);
    } finally {
        process.off('unhandledRejection', note);
    }
    const isInstalled = Reflect.has(globalThis, PLUGIN);
    if (!isInstalled) await loadPlugin();
    return isInstalled;
}

/** Registers what this package adds to the framework. */
export async function loadPlugin(): Promise<void> {
    await import('../index.js');
    await importAll();
}

/**
 * Takes away the commands that make no sense here, as the framework's own executable does.
 *
 * @param isInProject whether there is a project
 * @param keepsAll whether to leave them all, as the framework does while it generates a project
 */
export function keepUsefulCommands(isInProject: boolean, keepsAll: boolean): void {
    if (keepsAll) return;
    const useless = isInProject
        ? FOR_NEW_PROJECTS
        : Command.names.filter((name) => !FOR_EVERYWHERE.includes(name));
    for (const name of useless) Command.unregister(name);
}
