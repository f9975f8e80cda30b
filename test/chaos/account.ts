import { readFile } from 'node:fs/promises';
import type { PastRun, PastSkips } from '../../lib/runs/history.js';
import type { Evidence, Fleet } from '../support/servers.js';

/** Whose slots are counted: a job's, for one arg and one tenant. */
export interface Lane {
    readonly job: string;
    readonly arg: number | undefined;
    readonly tenant: string | undefined;
    readonly retries: number;
}

/** A script of the fleet's app that writes down what it remembers of some jobs. */
export const HISTORY_SCRIPT = `
    import 'pinstripe-bot';
    import { Workspace, importAll } from 'pinstripe';
    await import('./lib/index.js');
    await importAll();
    const past = await Workspace.run(async function () {
        const history = await this.bot.history();
        return (await Promise.all(process.argv.slice(2).map((job) => history.search(job, {}, 1_000_000)))).flat();
    });
    const { writeFileSync } = await import('node:fs');
    writeFileSync('past.json', JSON.stringify(past));
    process.exit();
`;

/** What an app with `HISTORY_SCRIPT` as its `history.mjs` remembers. */
export async function pastOf({ app }: Fleet, jobs: readonly string[]): Promise<(PastRun | PastSkips)[]> {
    await app.start(['history.mjs', ...jobs], { NODE_ENV: 'production' }).ended();
    return JSON.parse(await readFile(`${app.root}/past.json`, 'utf8'));
}

/** What is known after a storm. */
export interface Aftermath {
    readonly lanes: readonly Lane[];
    /** The first slot that counts, and the last, in unix seconds. */
    readonly first: number;
    readonly last: number;
    /** What the jobs have written, by `job arg`, or `job` where there is no arg. */
    readonly evidence: readonly Evidence[];
    readonly past: readonly (PastRun | PastSkips)[];
}

/** What became of a storm's slots. */
export interface Account {
    /** By job: how many of its slots have which fate. */
    readonly fates: ReadonlyMap<string, ReadonlyMap<string, number>>;
    readonly flaws: readonly string[];
}

/** Finds for each slot its runs, or its one reason not to run. */
export function accountFor({ lanes, first, last, evidence, past }: Aftermath): Account {
    const starts = grouped(
        evidence.filter(({ what }) => what === 'start'),
        ({ job, tenant, slot }) => `${job} ${tenant ?? '-'} ${slot}`,
    );
    const pasts = grouped(past, ({ job, args, tenant }) => `${[job, ...args].join(' ')} ${tenant ?? '-'}`);
    const fates = new Map<string, Map<string, number>>();
    const flaws: string[] = [];
    for (const { job, arg, tenant, retries } of lanes) {
        const ofArg = arg === undefined ? job : `${job} ${arg}`;
        const name = `${ofArg} ${tenant ?? '-'}`;
        const own = pasts.get(name) ?? [];
        // A slot that ended before it fanned out counts for each tenant.
        const shared = tenant === undefined ? [] : (pasts.get(`${ofArg} -`) ?? []);
        const runs = grouped(
            [...own, ...shared].filter((one): one is PastRun => one.kind === 'run'),
            ({ scheduledAt }) => `${scheduledAt}`,
        );
        const skips = [...own, ...shared].filter((one): one is PastSkips => one.kind === 'skips');
        for (let slot = first; slot <= last; slot++) {
            const started = starts.get(`${name} ${slot}`)?.length ?? 0;
            const recorded = runs.get(`${slot}`) ?? [];
            const reasons = skips.filter((skip) => skip.first <= slot && slot <= skip.last);
            const [reason] = reasons;
            const fate = recorded[0]?.outcome ?? reason?.reason ?? 'nothing';
            const counts = fates.get(job) ?? new Map<string, number>();
            fates.set(job, counts.set(fate, (counts.get(fate) ?? 0) + 1));
            if (started > 1 + retries) flaws.push(`${name} ${slot} ran ${started} times`);
            if (recorded.length + reasons.length !== 1)
                flaws.push(
                    `${name} ${slot} has ${recorded.length} runs and ${reasons.length} reasons: ${[...recorded.map(({ outcome }) => outcome), ...reasons.map((one) => one.reason)]}`,
                );
            if (started > 0 && recorded.length === 0) flaws.push(`${name} ${slot} ran, but has no run`);
            if (recorded[0]?.outcome === 'running') flaws.push(`${name} ${slot} never ended`);
        }
    }
    return { fates, flaws };
}

/** Prints the table, and the first flaws; answers how many there are. */
export function printAccount({ fates, flaws }: Account): number {
    const names = [...new Set([...fates.values()].flatMap((counts) => [...counts.keys()]))].sort();
    console.log(`| job | slots | ${names.join(' | ')} |`);
    console.log(`| --- | ---: |${names.map(() => ' ---: |').join('')}`);
    for (const [job, counts] of fates) {
        const slots = [...counts.values()].reduce((sum, count) => sum + count, 0);
        console.log(`| ${job} | ${slots} | ${names.map((name) => counts.get(name) ?? 0).join(' | ')} |`);
    }
    for (const flaw of flaws.slice(0, 20)) console.error(flaw);
    console.log(flaws.length === 0 ? 'The numbers add up.' : `${flaws.length} flaws.`);
    return flaws.length;
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();
    for (const one of all) {
        const key = keyOf(one);
        const group = groups.get(key);
        if (group) group.push(one);
        else groups.set(key, [one]);
    }
    return groups;
}
