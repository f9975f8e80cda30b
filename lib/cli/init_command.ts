import chalk from 'chalk';
import type { Command } from 'commander';
import { CliError } from './error.js';
import { applyInit, type InitStep, planInit } from './init.js';
import { addCommand } from './program.js';
import type { ProjectFolder } from './project.js';

const DESCRIPTION =
    'Prepares a project for its background jobs: its entry, its .gitignore, an old _file_importer.js.';

/**
 * Adds the command `init`, which loads nothing of the project.
 *
 * @param program the program
 * @param project where it works, or undefined outside of a project
 * @param reason says why there is no project
 */
export function addInitCommand(program: Command, project: ProjectFolder | undefined, reason: string): void {
    addCommand(program, 'Setup:', 'init', DESCRIPTION).action(async () => {
        if (project === undefined) throw new CliError(`not in a project: ${reason}`);
        const steps = await planInit(project);
        await applyInit(project, steps);
        console.log(describe(project, steps));
    });
}

function describe(project: ProjectFolder, steps: readonly InitStep[]): string {
    const lines = steps.map((step) => `  ${wordFor(step)}  ${step.what} ${chalk.dim(`in ${step.file}`)}`);
    const dependencies = {
        ...asObject(project.manifest['dependencies']),
        ...asObject(project.manifest['devDependencies']),
    };
    const missing = ['pinstripe', 'pinstripe-bot'].filter((name) => !(name in dependencies));
    const next = [
        ...(missing.length === 0 ? [] : [`npm install ${missing.join(' ')}`]),
        'pinstripe-bot generate-background-job --name my-task',
    ];
    return ['', ...lines, '', 'Next:', ...next.map((line) => `  ${chalk.cyan(line)}`), ''].join('\n');
}

function wordFor({ before, after }: InitStep): string {
    if (before === after) return chalk.dim('already there:');
    return chalk.green(`${before === undefined ? 'created' : 'changed'}:      `);
}

function asObject(value: unknown): object {
    return typeof value === 'object' && value !== null ? value : {};
}
