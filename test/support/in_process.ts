import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Problem } from '../../lib/jobs/problem.js';
import type { Bot as BotClass } from '../../lib/scheduler/bot.js';
import type { Registry } from '../../types/framework.js';
import { CLEAN_ENVIRONMENT, type Ended } from './app_process.js';
import { INSTALLED } from './pack.js';

/** The mixins of each registry, by name. */
type Registrations = readonly (readonly [Registry, Record<string, object>])[];

/** What an app has registered: its files are imported once. */
interface Registered {
    readonly registrations: Registrations;
    readonly brokenFiles: readonly (readonly [string, Problem])[];
}

const registered = new Map<string, Registered>();
let installed: ReturnType<typeof load> | undefined;
let bot: BotClass | undefined;
let last: Promise<unknown> = Promise.resolve();

/** How a command is called. */
export interface CallOptions {
    /** What differs from the environment of the tests. */
    readonly env?: Readonly<Record<string, string>>;
    /** How wide the terminal is that it prints on; undefined: it prints into a pipe. */
    readonly columns?: number | undefined;
}

/** How it ended, with both outputs in the order in which they were printed. */
export interface Called extends Ended {
    readonly output: string;
}

/**
 * Runs a command of `pinstripe-bot`, that of the installed package, in this process as if it had one to itself: one after
 * another, each with an app, a bot, an environment and an exit code of its own. What only a process has - signals, a
 * terminal, `process.exit()`, an app that cannot be loaded - needs one; and each of an app's files is imported once, however
 * often it changes.
 */
export function runInProcess(
    root: string,
    words: readonly string[],
    options: CallOptions = {},
): Promise<Called> {
    const ended = last.then(() => run(root, words, options));
    last = ended.catch(() => {});
    return ended;
}

async function run(
    root: string,
    words: readonly string[],
    { env = {}, columns }: CallOptions,
): Promise<Called> {
    const [folder, exitCode, variables] = [process.cwd(), process.exitCode, { ...process.env }];
    replaceEnvironment({ ...CLEAN_ENVIRONMENT, ...env });
    process.chdir(root);
    process.exitCode = undefined;
    const printed = { stdout: '', stderr: '', output: '' };
    const release = (['stdout', 'stderr'] as const).map((name) =>
        capture(process[name], columns, (text) => {
            printed[name] += text;
            printed.output += text;
        }),
    );
    try {
        installed ??= load();
        const { runCli, Bot, brokenFiles, Project, importAll, registries, bare } = await installed;
        const { registrations = bare, brokenFiles: broken = [] } = registered.get(root) ?? {};
        register(registrations);
        brokenFiles.clear();
        for (const [file, problem] of broken) brokenFiles.set(file, problem);
        delete Project._instance;
        bot = new Bot();
        // What the app's entry does, which is imported once: so new files are found.
        if (registered.has(root)) importAll(join(root, 'lib'));
        await runCli(words, root);
        registered.set(root, { registrations: registrationsOf(registries), brokenFiles: [...brokenFiles] });
        return { code: Number(process.exitCode ?? 0), ...printed };
    } finally {
        for (const stream of release) stream();
        process.exitCode = exitCode;
        process.chdir(folder);
        replaceEnvironment(variables);
    }
}

/** Loads the package as the first app would, and takes out of the framework what lasts as long as a process. */
async function load() {
    const inPackage = (path: string) => import(join(INSTALLED, 'node_modules/pinstripe-bot/dist', path));
    const { resolve } = createRequire(join(INSTALLED, 'package.json'));
    const ofFramework = (specifier: string) => import(pathToFileURL(resolve(specifier)).href);
    const [{ ServiceFactory, Project, importAll }, { registries }] = await Promise.all([
        ofFramework('pinstripe'),
        ofFramework('haberdash/lib/abstract_registry.js'),
    ]);
    await inPackage('lib/index.js');
    const { runCli }: typeof import('../../lib/cli/main.js') = await inPackage('lib/cli/main.js');
    const { Bot }: typeof import('../../lib/scheduler/bot.js') = await inPackage('lib/scheduler/bot.js');
    const { brokenFiles }: typeof import('../../lib/jobs/job_file.js') =
        await inPackage('lib/jobs/job_file.js');
    await importAll();
    ServiceFactory.register('bot', { create: () => bot });
    ServiceFactory.register('config', {
        create(this: { defer(make: () => unknown): unknown; createConfig(): unknown }) {
            return this.defer(() => this.createConfig());
        },
    });
    const all: Registry[] = Object.values(registries);
    // What is registered without an app.
    const bare = registrationsOf(all);
    return { runCli, Bot, brokenFiles, Project, importAll, registries: all, bare };
}

function registrationsOf(registries: readonly Registry[]): Registrations {
    return registries.map((registry) => [registry, { ...registry.mixins }] as const);
}

function register(registrations: Registrations): void {
    for (const [registry, mixins] of registrations) {
        for (const name of Object.keys(registry.mixins))
            delete (registry.mixins as Record<string, object>)[name];
        Object.assign(registry.mixins, mixins);
        (registry as Registry & { clearCache(): void }).clearCache();
    }
}

function replaceEnvironment(variables: NodeJS.ProcessEnv): void {
    for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
    Object.assign(process.env, variables);
}

/** Takes what is written as text, until it is told to stop. What the test runner tells of the tests are bytes. */
function capture(
    stream: NodeJS.WriteStream,
    columns: number | undefined,
    take: (text: string) => void,
): () => void {
    const { write, isTTY, columns: own } = stream;
    stream.write = ((...args: Parameters<typeof write>) => {
        if (typeof args[0] !== 'string') return write.apply(stream, args);
        take(args[0]);
        return true;
    }) as typeof write;
    Object.assign(stream, { isTTY: columns !== undefined, columns });
    return () => void Object.assign(stream, { write, isTTY, columns: own });
}
