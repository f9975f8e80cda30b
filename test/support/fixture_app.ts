import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import fs from 'fs-extra';
import type { BotEvent } from '../../lib/runs/events.js';
import type { BotParts } from '../../lib/scheduler/runtime.js';
import type { BackgroundJobClass } from '../../types/background_job.js';
import { makeFolder } from './app_folder.js';
import { AppProcess } from './app_process.js';
import { job } from './jobs.js';
import { within } from './pace.js';

export { within } from './pace.js';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

/** An app of the real framework in a temporary folder. */
export type App = Awaited<ReturnType<typeof createApp>>;

/** Makes an app with the plugin, that of this checkout. */
export async function createApp(files: Record<string, string> = {}) {
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
        /** Starts Node in the app's folder. */
        start: (args: readonly string[], env: Record<string, string> = {}) =>
            new AppProcess(process.execPath, args, { cwd: root, env }),
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
    await fs.copy(join(PACKAGE, 'examples/app/lib/services'), join(app.root, 'lib/services'));
    await app.link('libsql', join(PACKAGE, 'node_modules/libsql'));
    return { app, filename: join(app.root, database.filename) };
}

/** Imports an app's files, as the framework does when it starts. */
export async function loadApp({ root }: App): Promise<void> {
    await import(join(root, 'lib/index.js'));
    const { importAll } = await import('../../lib/framework.js');
    await importAll();
}

/** The registry of a file of tests: what one of them registers is gone after it, and so are its notes. */
export async function openRegistry() {
    const { BackgroundJob } = await import('../../lib/index.js');
    const ofApp = BackgroundJob.names;
    const notes: unknown[] = [];
    afterEach(() => {
        notes.length = 0;
        for (const name of BackgroundJob.names) if (!ofApp.includes(name)) BackgroundJob.unregister(name);
    });
    return {
        BackgroundJob,
        notes,
        /** Registers a job with a file. */
        register(name: string, ...[crontabs, run, settings]: Parameters<typeof job>) {
            const definition = job(crontabs, run, settings);
            BackgroundJob.register(name, {
                ...definition,
                meta(this: BackgroundJobClass) {
                    this.filePaths.push(`/app/lib/background_jobs/${name}.js`);
                    definition.meta?.call(this);
                },
            });
        },
    };
}

/** Makes a bot that keeps its schedules in UTC, and logs nothing; with what it tells. */
export async function createBot({
    config = {},
    ...parts
}: { config?: object } & Omit<BotParts, 'config'> = {}) {
    const { Bot } = await import('../../lib/scheduler/bot.js');
    const events: BotEvent[] = [];
    const news = new EventEmitter();
    const eventsOf = <Type extends BotEvent['type']>(type: Type) =>
        events.filter((event): event is Extract<BotEvent, { type: Type }> => event.type === type);
    return {
        bot: new Bot({
            ...parts,
            config: async () => ({ timezone: 'UTC', log: 'silent', ...config }),
            listen: (event) => {
                // A run goes on: how it was when it started is seen then.
                events.push(event.type === 'run-started' ? { ...event, run: { ...event.run } } : event);
                news.emit(event.type);
            },
        }),
        events,
        eventsOf,
        /** Waits until it has told of something, or tells of it. */
        async heard(type: BotEvent['type']) {
            if (eventsOf(type).length === 0) await within(once(news, type), `the event ${type}`);
        },
    };
}
