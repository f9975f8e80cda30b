import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import type { BotEvent } from '../../lib/runs/events.js';
import type { Bot } from '../../lib/scheduler/bot.js';
import type { BotParts } from '../../lib/scheduler/runtime.js';
import { type AppFolder, makeFolder } from './app_folder.js';
import { AppProcess } from './app_process.js';
import { patience } from './pace.js';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

/** An app of the real framework in a temporary folder. */
export interface App extends AppFolder {
    /** Starts Node in the app's folder. */
    start(args: readonly string[], env?: Record<string, string>): AppProcess;
}

const SERVICES = 'lib/services';

/** Makes an app with the plugin, that of this checkout. */
export async function createApp(files: Record<string, string> = {}): Promise<App> {
    const folder = await makeFolder();
    const { root } = folder;
    await folder.write({
        'package.json': JSON.stringify({
            name: 'fixture',
            type: 'module',
            exports: { '.': './lib/index.js' },
        }),
        'lib/index.js': `
            import 'pinstripe-bot';
            import { importAll } from 'pinstripe';
            importAll(import.meta.url);
        `,
        'lib/background_jobs/_file_importer.js':
            "export { BackgroundJob as default } from 'pinstripe-bot';\n",
        ...files,
    });
    await folder.link('pinstripe-bot', PACKAGE);
    for (const name of ['pinstripe', 'haberdash', '@pinstripe/utils'])
        await folder.link(name, join(PACKAGE, 'node_modules', name));
    return {
        ...folder,
        start: (args, env = {}) => new AppProcess(process.execPath, args, { cwd: root, env }),
    };
}

/**
 * Makes an app and goes there. The framework keeps its project and config for good, so that a process has one app,
 * and imports the package after this.
 */
export async function openApp(files: Record<string, string> = {}): Promise<App> {
    process.env['NODE_ENV'] = 'test';
    process.env['TZ'] = 'UTC';
    const app = await createApp(files);
    process.chdir(app.root);
    return app;
}

/** Makes an app with the `database` service of the example app, on SQLite. */
export async function openAppWithDatabase(
    schema: string,
    files: Record<string, string> = {},
): Promise<{ app: App; filename: string }> {
    const database = { filename: 'fixture.db', schema };
    const app = await openApp({
        'pinstripe.config.js': `export default ${JSON.stringify({ database, bot: { log: 'silent' } })};\n`,
        ...files,
    });
    await fs.copy(join(PACKAGE, 'examples/app', SERVICES), join(app.root, SERVICES));
    await app.link('libsql', join(PACKAGE, 'node_modules/libsql'));
    return { app, filename: join(app.root, database.filename) };
}

/** Imports an app's files, as the framework does when it starts. */
export async function loadApp({ root }: App): Promise<void> {
    await import(join(root, 'lib/index.js'));
    const { importAll } = await import('../../lib/framework.js');
    await importAll();
}

/** A bot of one's own, with what it tells. */
export interface HeardBot {
    readonly bot: Bot;
    readonly events: BotEvent[];
    eventsOf<Type extends BotEvent['type']>(type: Type): Extract<BotEvent, { type: Type }>[];
    /** Waits until it has told of something, or tells of it. */
    heard(type: BotEvent['type'], matches?: (event: BotEvent) => boolean): Promise<BotEvent>;
}

/** Makes a bot that keeps its schedules in UTC, and logs nothing. */
export async function createBot({
    config = {},
    ...parts
}: { config?: object } & Omit<BotParts, 'config'> = {}) {
    const { Bot } = await import('../../lib/scheduler/bot.js');
    const events: BotEvent[] = [];
    const listeners = new Set<(event: BotEvent) => void>();
    const heardBot: HeardBot = {
        bot: new Bot({
            ...parts,
            config: async () => ({ timezone: 'UTC', log: 'silent', ...config }),
            listen: (event) => {
                events.push(event);
                for (const listener of listeners) listener(event);
            },
        }),
        events,
        eventsOf: (type) =>
            events.filter((event): event is Extract<BotEvent, { type: typeof type }> => event.type === type),
        heard: (type, matches = () => true) =>
            within(
                new Promise((resolve) => {
                    const listener = (event: BotEvent) => {
                        if (event.type === type && matches(event)) resolve(event);
                    };
                    listeners.add(listener);
                    for (const event of events) listener(event);
                }),
                `the event ${type}`,
            ),
    };
    return heardBot;
}

/** Waits for a promise, and fails where it takes longer than a test may. */
export async function within<T>(promise: Promise<T>, what: string, deadline = patience(10_000)): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${what} did not come within ${deadline} ms`)), deadline);
    });
    try {
        return await Promise.race([promise, expired]);
    } finally {
        clearTimeout(timer);
    }
}
