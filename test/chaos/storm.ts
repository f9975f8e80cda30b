// node storm.js [engine] [seconds]: a storm over four processes, and whether its numbers add up.
import { setTimeout as delay } from 'node:timers/promises';
import { openFleet, type Server } from '../support/servers.js';
import { accountFor, HISTORY_SCRIPT, type Lane, pastOf, printAccount } from './account.js';
import { WEATHERS } from './weather.js';

const SERVERS = 4;
const TENANTS = ['acme', 'globex', 'initech'];
/** Each job has so many schedules, each with args of its own: 108 slots a second in all. */
const SCHEDULES = 9;
/** In this time leases run out, and retries are made, in milliseconds. */
const CALM = 45_000;
/** A lane that catches up works off its line in this time, in milliseconds, on a machine that has other things to do. */
const LONGEST_DRAIN = 240_000;

const JOBS = ['skip', 'queue', 'allow'].flatMap((overlap, retries) =>
    [false, true].map((multiTenant) => ({
        file: `${overlap}_${multiTenant ? 'tenants' : 'single'}`,
        overlap,
        multiTenant,
        retries,
    })),
);

function definitionOf({ overlap, multiTenant, retries }: (typeof JOBS)[0]): string {
    return `{
        meta(){ for (let arg = 0; arg < ${SCHEDULES}; arg++) this.schedule('* * * * * *', arg); },
        overlap: '${overlap}', multiTenant: ${multiTenant}, retries: ${retries}, retryDelay: '1s', missed: 'all',
        async run(arg){
            const run = { currentRun: { ...this.currentRun, job: this.currentRun.job + ' ' + arg } };
            note(run, 'start');
            await sleep(Math.random() < 0.1 ? 3_000 * Math.random() : 100 * Math.random());
            note(run, 'end');
            if (Math.random() < 0.03) throw new Error('no luck');
        }
    }`;
}

const [engine = 'embedded', seconds = '186'] = process.argv.slice(2);
const weather = await WEATHERS[engine]?.(SERVERS);
if (!weather) throw new Error(`There is no engine "${engine}".`);
const fleet = await openFleet(Object.fromEntries(JOBS.map((job) => [job.file, definitionOf(job)])), {
    ...weather.files,
    'history.mjs': HISTORY_SCRIPT,
});
const faults: Record<string, number> = {};
const start = (server: number) => fleet.start({ TENANTS: TENANTS.join(), ...weather.env(server) });
const servers: Server[] = Array.from({ length: SERVERS }, (_, server) => start(server));
await Promise.all(servers.map(({ started }) => started));
const first = Math.floor(Date.now() / 1000) + 2;
const last = first + Number(seconds) - 1;

const FAULTS: typeof weather.faults = {
    ...weather.faults,
    async SIGKILL(victim) {
        servers[victim]?.kill('SIGKILL');
        await delay(2_000 * Math.random());
        servers[victim] = start(victim);
    },
    async SIGSTOP(victim) {
        servers[victim]?.kill('SIGSTOP');
        await delay(12_000 + 4_000 * Math.random());
        servers[victim]?.kill('SIGCONT');
    },
    async restart(victim) {
        servers[victim]?.kill('SIGTERM');
        await servers[victim]?.ended;
        servers[victim] = start(victim);
    },
};

// Each in its turn, in any order.
let next: string[] = [];
while (Date.now() < last * 1000) {
    await delay(500 + 3_000 * Math.random());
    if (next.length === 0) next = Object.keys(FAULTS);
    const [name = ''] = next.splice(Math.floor(next.length * Math.random()), 1);
    faults[name] = (faults[name] ?? 0) + 1;
    await FAULTS[name]?.(Math.floor(SERVERS * Math.random()), fleet);
}
await delay(CALM);
const calmAt = Date.now();
let left = await weather.leftOver(last, fleet);
for (; left > 0 && Date.now() - calmAt < LONGEST_DRAIN; left = await weather.leftOver(last, fleet))
    await delay(1_000);
console.log(`${left} left ${Math.round((Date.now() - calmAt + CALM) / 1000)} s after the storm`);
await fleet.stop();

const jobs = JOBS.map((job) => ({ ...job, name: job.file.replaceAll('_', '-') }));
const past = await pastOf(
    fleet,
    jobs.map(({ name }) => name),
);
const lanes = jobs.flatMap(({ name, multiTenant, retries }) =>
    Array.from({ length: SCHEDULES }, (_, arg) =>
        (multiTenant ? TENANTS : [undefined]).map((tenant): Lane => ({ job: name, arg, tenant, retries })),
    ).flat(),
);
console.log(
    `${engine}, ${seconds} s: ${Object.entries(faults)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}`,
);
const flaws = printAccount(accountFor({ lanes, first, last, evidence: await fleet.evidence(), past }));
await weather.end();
process.exit(flaws === 0 ? 0 : 1);
