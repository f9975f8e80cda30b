import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fs from 'fs-extra';

/** A folder, for an app as a rule: a temporary one, gone when the test's process ends. */
export interface AppFolder {
    readonly root: string;
    /** Writes files; their paths are relative to the root. */
    write(files: Record<string, string>): Promise<void>;
    read(path: string): Promise<string>;
    /** Makes a package resolvable from it. */
    link(name: string, target: string): Promise<void>;
}

const roots: string[] = [];

// However the process ends: a test that fails leaves nothing behind.
process.on('exit', () => {
    for (const root of roots) rmSync(root, { recursive: true, force: true });
});

/** Makes an empty one. */
export async function makeFolder(): Promise<AppFolder> {
    const root = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'pinstripe-bot-app-')));
    roots.push(root);
    return {
        root,
        async write(files) {
            for (const [path, content] of Object.entries(files))
                await fs.outputFile(join(root, path), content);
        },
        read: (path) => fs.readFile(join(root, path), 'utf8'),
        link: (name, target) => fs.ensureSymlink(target, join(root, 'node_modules', name), 'dir'),
    };
}
