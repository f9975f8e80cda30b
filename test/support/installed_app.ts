import { join } from 'node:path';
import fs from 'fs-extra';
import { makeFolder } from './app_folder.js';
import { AppProcess, freePort } from './app_process.js';
import { type CallOptions, runInProcess } from './in_process.js';
import { INSTALLED, PACKAGE } from './pack.js';

/** Both executables have the bot's commands: the framework's own, and ours. */
export const BINARIES = ['pinstripe', 'pinstripe-bot'] as const;

/** One of them. */
export type Binary = (typeof BINARIES)[number];

/** With what each of them ends where an option's value is wrong: the framework's own knows no code for that. */
export const BAD_OPTION: Record<Binary, number> = { pinstripe: 1, 'pinstripe-bot': 2 };

/** The only line of an app's `_file_importer.js`. */
export const FILE_IMPORTER = "export { BackgroundJob as default } from 'pinstripe-bot';\n";

/** An app in a temporary folder, with the packed package installed; gone when the test's process ends. */
export type InstalledApp = Awaited<ReturnType<typeof makeApp>>;

/** An app's server, once it listens. */
export type Server = Awaited<ReturnType<InstalledApp['serve']>>;

/** How to start a server. */
export interface ServeOptions {
    readonly binary?: Binary;
    readonly args?: readonly string[];
    readonly env?: Record<string, string>;
}

/** Makes an app. */
export async function makeApp(files: Record<string, string> = {}) {
    if (!(await fs.pathExists(INSTALLED)))
        throw new Error('Nothing is installed yet: node dist/test/support/pack.js');
    const folder = await makeFolder();
    const { root } = folder;
    const start = (binary: Binary, args: readonly string[], env: Record<string, string> = {}) => {
        const executable = join(root, 'node_modules/.bin', binary);
        return new AppProcess(process.execPath, [executable, ...args], { cwd: root, env });
    };
    const app = {
        ...folder,
        /** Runs a command of `pinstripe-bot` in this process; see `runInProcess`. */
        call: (words: readonly string[], options?: CallOptions) => runInProcess(root, words, options),
        /** Starts a command of one of the binaries. */
        start,
        /** Runs a command of one of the binaries in a process, and waits for its end. */
        run: (...command: Parameters<typeof start>) => start(...command).ended(),
        /** Starts a server on a free port, and waits until it listens. */
        async serve({ binary = 'pinstripe', args = [], env = {} }: ServeOptions = {}) {
            const port = await freePort();
            const host = `127.0.0.1:${port}`;
            const server = start(binary, ['start-server', '--host', host, ...args], env);
            await server.printed(/Pinstripe running at/);
            return { process: server, port, get: (path: string) => fetch(`http://${host}${path}`) };
        },
    };
    await fs.copy(join(INSTALLED, 'package.json'), join(root, 'package.json'));
    await fs.symlink(join(INSTALLED, 'node_modules'), join(root, 'node_modules'), 'dir');
    await app.write({
        'lib/index.js':
            "import 'pinstripe-bot';\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n",
        ...files,
    });
    return app;
}

/** The files of background jobs by their names without `.js`, with the importer that their folder needs. */
export function backgroundJobs(jobs: Record<string, string>): Record<string, string> {
    const files = Object.entries(jobs).map(([name, content]) => [`lib/background_jobs/${name}.js`, content]);
    return { 'lib/background_jobs/_file_importer.js': FILE_IMPORTER, ...Object.fromEntries(files) };
}

/** The files of a database of tenants: the service of the example app on SQLite, and the table, where there is one. */
export async function tenantsDatabase(
    tenants: readonly [id: string, active: boolean][] | undefined,
    config = '',
): Promise<Record<string, string>> {
    const rows = (tenants ?? []).map(([id, active]) => `insert into tenants values ('${id}', ${active});`);
    const table = tenants
        ? 'create table tenants (id text primary key, active integer);'
        : 'create table notes (id);';
    const service = join(PACKAGE, 'examples/app/lib/services');
    return {
        'lib/services/_file_importer.js': await fs.readFile(join(service, '_file_importer.js'), 'utf8'),
        'lib/services/database.js': await fs.readFile(join(service, 'database.js'), 'utf8'),
        'pinstripe.config.js': `export default {
            database: { filename: 'fixture.db', schema: \`${[table, ...rows].join('\n')}\` },
            ${config}
        };`,
    };
}

/** A job that is due each second, says when it begins and ends, and goes on until there is a file `release`. */
export const UNTIL_RELEASED = backgroundJobs({
    until_released: `
        import { existsSync } from 'node:fs';
        import { setTimeout } from 'node:timers/promises';
        export default {
            meta(){ this.schedule('* * * * * *'); },
            async run(){
                console.log('begin');
                while(!existsSync('release')) await setTimeout(20);
                console.log('end');
            }
        };`,
});
