import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Project } from '../../framework.js';

/**
 * What all keys of an app begin with, so that several can share a Redis: two apps, or the same one in two environments,
 * must not take one another's runs.
 *
 * @param configured `bot.redisPrefix`, which wins
 * @param environment the value of `NODE_ENV`, or what stands for it
 * @returns `bot:<the name in package.json>:<environment>`
 * @throws Error where the app has no name
 */
export async function readPrefix(configured: string | undefined, environment: string): Promise<string> {
    if (configured !== undefined) return configured;
    const { rootPath = process.cwd() } = await Project.instance;
    const path = join(rootPath, 'package.json');
    const manifest = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as { name?: unknown };
    if (typeof manifest.name === 'string' && manifest.name !== '')
        return `bot:${manifest.name}:${environment}`;
    throw new Error(
        `${path} has no name, by which the app's keys in Redis could be told from those of others: give it one, or set bot.redisPrefix.`,
    );
}
