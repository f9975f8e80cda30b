import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppProcess, outputOfAll } from './app_process.js';
import { createApp, within } from './fixture_app.js';
import { patience } from './pace.js';

/** One line that a job wrote while it ran: the only witness of what really happened. */
export interface Evidence {
    readonly job: string;
    readonly what: 'start' | 'end';
    /** Unix second. */
    readonly slot: number;
    readonly tenant: string | null;
    readonly attempt: number;
    readonly pid: number;
    /** Unix milliseconds. */
    readonly at: number;
}

/** A process with a bot. */
export type Server = ReturnType<typeof startServer>;

/** An app whose jobs leave evidence, and processes that run it. */
export type Fleet = Awaited<ReturnType<typeof openFleet>>;

const PRODUCTION = { NODE_ENV: 'production' };

// Not the framework's start-server: that would need a port each.
const SERVER = `
    import 'pinstripe-bot';
    import { channel } from 'node:diagnostics_channel';
    import { ServiceFactory, Workspace, importAll } from 'pinstripe';
    await import('./lib/index.js');
    await importAll();
    const ids = (process.env.TENANTS ?? '').split(',').filter(Boolean);
    const rows = ids.map((id) => ({ id }));
    const where = ({ id }) => ({ all: async () => rows.filter((row) => row.id === id) });
    if (ids.length > 0) ServiceFactory.register('database', {
        create: () => ({ info: { tenants: true }, tenants: { all: async () => rows, where } }),
    });
    if (process.env.DIE_AT) channel('pinstripe-bot:' + process.env.DIE_AT).subscribe(() => process.kill(process.pid, 'SIGKILL'));
    channel('pinstripe-bot:bot-started').subscribe(() => console.log('READY'));
    await Workspace.run(async function () {
        const { bot } = this;
        process.on('SIGTERM', () => bot.stop());
        // So that several may start at the same moment.
        await new Promise((resolve) => setTimeout(resolve, Number(process.env.START_AT ?? 0) - Date.now()));
        await bot.start();
    });
    process.exit();
`;

/** The head of a job's file: \`note(this, 'start')\` leaves a line of evidence. */
export const NOTE = `
    import { appendFileSync } from 'node:fs';
    const note = ({ currentRun: { job, scheduledAt, tenant = null, attempt } }, what) =>
        appendFileSync(process.env.EVIDENCE, JSON.stringify({ job, what, slot: scheduledAt, tenant, attempt, pid: process.pid, at: Date.now() }) + '\\n');
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

/** Makes an app with jobs. */
export async function openFleet(jobs: Record<string, string>, more: Record<string, string> = {}) {
    const files = Object.entries(jobs).map(([name, definition]) => [
        `lib/background_jobs/${name}.js`,
        `${NOTE}\nexport default ${definition};\n`,
    ]);
    const app = await createApp({ 'server.mjs': SERVER, ...Object.fromEntries(files), ...more });
    const evidence = join(app.root, 'evidence');
    const servers = new Set<Server>();
    return {
        app,
        journal: join(app.root, 'bot_production.db'),
        /** What the jobs have left, or what of it is like this. */
        async evidence(like: Partial<Evidence> = {}) {
            const text = await readFile(evidence, 'utf8').catch(() => '');
            const wanted = Object.entries(like);
            // What a kill has torn off is no line.
            return text
                .split('\n')
                .slice(0, -1)
                .map((line) => JSON.parse(line) as Evidence)
                .filter((line) => wanted.every(([key, value]) => line[key as keyof Evidence] === value));
        },
        /** Starts a process with a bot. */
        start(env: Record<string, string> = {}) {
            const server = startServer(app.root, { EVIDENCE: evidence, ...env });
            servers.add(server);
            void server.ended.then(() => servers.delete(server));
            return server;
        },
        /** Runs a command of `pinstripe-bot` in the environment of the servers. */
        command: (...words: string[]) =>
            app.start(['node_modules/pinstripe-bot/dist/bin/pinstripe_bot.js', ...words], PRODUCTION).ended(),
        /** Ends all that still runs. */
        async stop() {
            for (const server of servers) {
                server.kill('SIGCONT');
                server.kill('SIGTERM');
            }
            await Promise.all([...servers].map(({ ended }) => ended));
        },
    };
}

/** Waits until something is true. */
export async function until<T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    deadline = 60_000,
): Promise<T> {
    const poll = async (): Promise<T> => {
        for (;;) {
            const found = await look();
            if (Array.isArray(found) ? found.length > 0 : found) return found as T;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    };
    return within(poll(), () => `${what}\n${outputOfAll()}`, patience(deadline));
}

/** Fails where a slot's code has started twice for one attempt. */
export function assertOnce(evidence: readonly Evidence[]): void {
    const starts = evidence
        .filter(({ what }) => what === 'start')
        .map(({ job, slot, tenant, attempt }) => `${job} ${slot} ${tenant} attempt ${attempt}`);
    const doubled = starts.filter((start, index) => starts.indexOf(start) !== index);
    assert.deepEqual(doubled, []);
}

function startServer(root: string, env: Record<string, string>) {
    const child = new AppProcess(process.execPath, ['server.mjs'], {
        cwd: root,
        env: { ...PRODUCTION, ...env },
    });
    const started = child.printed(/READY/).then(() => {});
    // One that is killed before has not failed, unless a test waits for it.
    started.catch(() => {});
    return {
        child,
        /** What it has printed so far. */
        output: () => child.output,
        kill: (signal: NodeJS.Signals) => child.signal(signal),
        /** Resolves when it has ended. */
        ended: child.over.then(() => {}),
        /** Resolves when its bot has started. */
        started,
    };
}
