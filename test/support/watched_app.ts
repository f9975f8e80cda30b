import { freePort } from './free_port.js';
import { openFleet, until } from './servers.js';

/** What is judged from outside within so long, in milliseconds: an overdue time of two seconds, and ten more. */
const SOON = 12_000;

/** What `check-health` finds, and with what `/up` answers. */
export interface Health {
    readonly kinds: readonly string[];
    readonly up: number;
}

/** Makes a fleet with a web process that has no bot, and looks from there, and by the command, how its bots do. */
export async function openWatchedApp(jobs: Record<string, string>, files: Record<string, string>) {
    const fleet = await openFleet(jobs, files);
    const port = await freePort();
    const serve = (...words: string[]) =>
        fleet.app.start(
            ['node_modules/pinstripe/cli.js', 'start-server', '--host', `127.0.0.1:${port}`, ...words],
            { NODE_ENV: 'production' },
        );
    const web = serve('--without-bot');
    await web.printed(/Pinstripe running at/);
    const up = async () => (await fetch(`http://127.0.0.1:${port}/up`)).status;
    const look = async (): Promise<Health> => {
        const { stdout } = await fleet.command('check-health', '--json');
        const { faults } = JSON.parse(stdout) as { faults: { kind: string }[] };
        return { kinds: faults.map(({ kind }) => kind), up: await up() };
    };
    const isSo = (what: string, is: (health: Health) => boolean) =>
        until(what, async () => is(await look()), SOON);
    return {
        fleet,
        web,
        port,
        /** Starts another server on the same port. */
        serve,
        up,
        look,
        /** Waits until both tell of a fault, or of none. */
        says: (kind: string) => isSo(kind, ({ kinds, up }) => kinds.includes(kind) && up === 503),
        isContent: () => isSo('health', ({ kinds, up }) => kinds.length === 0 && up === 200),
    };
}
