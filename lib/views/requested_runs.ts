import { leaveToOthers } from '../process/command.js';
import { inForeground } from '../process/foreground.js';
import { laneOf, OUTCOMES, type Run } from '../runs/run.js';
import { runAsJson } from '../runs/run_json.js';
import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { enqueue } from '../scheduler/later.js';
import { findPlan, runJobNow, timezoneOf } from '../scheduler/requests.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { count } from '../text/format.js';
import { printJson } from '../text/json_output.js';
import { printable } from '../text/printable.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment, inZone, isoMoment, isoSecond } from '../time/moment.js';
import { parseMomentOption } from '../time/moment_input.js';
import { takeOverview } from './overview.js';
import { pageOf, printWorkNote } from './page.js';

/** Another run of its lane goes on: sysexits(3) calls that a temporary failure, and asks to try again. */
const BUSY = 75;

/** Skips that somebody who has asked for the runs may have wanted. */
const HARMLESS_SKIPS = ['environment', 'no tenants'];

/** As many runs as a summary names. */
const FEW = 5;

/** Among as many of a job's newest runs the holder of a lane is looked for. */
const NEWEST = 100;

/** Runs one job now, and prints and exits with what became of it. */
export async function runJob(
    bot: Bot,
    name: string,
    options: { arguments?: string; tenant?: string; at?: string; force?: boolean; json?: boolean },
): Promise<void> {
    const { tenant: onlyTenant, at, force: isForced, json: isJson = false } = options;
    if (onlyTenant === '') throw new BadOptionError("--tenant '' names no tenant.");
    const args = parseArguments(options.arguments);
    const slot = at === undefined ? undefined : await parseSlot(bot, name, at);
    let runs: readonly Run[] = [];
    const begin = (all: readonly Run[]) => {
        runs = all;
    };
    const over = await inForeground({ bot, isJson, runs: () => runs }, (signal) =>
        runJobNow({ name, args, onlyTenant, slot, isForced, signal, begin }, runtimeOf(bot)),
    );
    // The log has said what the others failed with: once is enough.
    for (const { run, failure } of over) {
        if (!failure || run.outcome !== 'skipped' || run.reason === 'interrupted') continue;
        const holder = run.reason === 'overlap' ? await describeHolder(run, bot) : undefined;
        console.error([printable(failure.message), holder].filter(Boolean).join('\n'));
    }
    const nobody = `The background job "${printable(name)}" ran for nobody: it has no tenants.`;
    const summary = runs.length > 1 ? summarise(runs) : undefined;
    conclude(runs, isJson, runs.length === 0 ? nobody : summary);
}

/** Records a run of one job for later, and prints when it starts. */
export async function enqueueJob(
    bot: Bot,
    name: string,
    options: { arguments?: string; tenant?: string; in: string; json?: boolean },
): Promise<void> {
    const { tenant, in: wait, json: isJson = false } = options;
    const runtime = runtimeOf(bot);
    const request = { args: parseArguments(options.arguments), tenant, in: wait };
    const { run, runAt = Date.now() } = await leaveToOthers(bot, 'Nothing was recorded', () =>
        enqueue(name, request, async () => undefined, runtime),
    );
    if (isJson) return printJson({ id: run.id, job: run.job, runAt: isoMoment(runAt) });
    const start = inZone(Math.ceil(runAt / 1000), runtime.config.timezone);
    console.log(`recorded ${printable(run.job)}, run ${run.id}: it starts at ${start}`);
    const overview = await takeOverview(bot);
    printWorkNote(overview, pageOf(overview, undefined));
}

/** Runs all that is due at one second, and prints and exits with what became of it. */
export async function runDueJobs(bot: Bot, time: string, isJson: boolean): Promise<void> {
    const { plans, timezone } = await bot.survey();
    const at = parseMomentOption('--at', time, { now: unixNow(), timezone });
    const { worker } = runtimeOf(bot);
    const current = () => [...worker.runs].slice(0, 1).map(({ run }) => run);
    const runs = await inForeground({ bot, isJson, runs: current }, (signal) =>
        bot.runBackgroundJobs(at, { signal }),
    );
    const slots = plans.flatMap(({ schedules }) => schedules.flatMap((schedule) => schedule.next(at) ?? []));
    const next = slots.length === 0 ? undefined : Math.min(...slots);
    const hint = next === undefined ? 'there are no schedules' : `the next slot is ${inZone(next, timezone)}`;
    const nothing = `Nothing is due at ${inZone(at, timezone)}: ${hint}.`;
    const moments = { at: isoSecond(at), next: next === undefined ? null : isoSecond(next) };
    conclude(runs, isJson, runs.length > 0 ? summarise(runs) : nothing, moments);
}

/** Prints what became of runs that somebody has waited for, as JSON or as a text, and exits with it. */
export function conclude(
    runs: readonly Run[],
    isJson: boolean,
    text: string | undefined,
    report: object = {},
): void {
    if (isJson) printJson({ ...report, runs: runs.map(runAsJson) });
    else if (text !== undefined) console.log(text);
    process.exitCode ??= exitCodeFor(runs);
}

/** The exit code of a command that has waited for runs: 75 where nothing went wrong but a busy lane, else 1. */
export function exitCodeFor(runs: readonly Pick<Run, 'outcome' | 'reason'>[]): number | undefined {
    const wrong = runs.filter(
        ({ outcome, reason }) =>
            outcome !== 'succeeded' && !(outcome === 'skipped' && HARMLESS_SKIPS.includes(reason ?? '')),
    );
    if (wrong.length === 0) return undefined;
    return wrong.every(({ outcome, reason }) => outcome === 'skipped' && reason === 'overlap') ? BUSY : 1;
}

/** Sums ended runs up: `'4 runs: 2 succeeded, 1 failed (send-invoices [tenant b]), 1 skipped (clean-up)'`. */
export function summarise(runs: readonly Run[]): string {
    const counts = OUTCOMES.flatMap((outcome) => {
        const some = runs.filter((run) => run.outcome === outcome);
        if (some.length === 0) return [];
        return `${some.length} ${outcome}${outcome === 'succeeded' ? '' : ` (${namesOf(some)})`}`;
    });
    return `${count(runs.length, 'run')}: ${counts.join(', ')}`;
}

function namesOf(runs: readonly Run[]): string {
    const names = runs.map(({ job, tenant }) =>
        printable(tenant === undefined ? job : `${job} [tenant ${tenant}]`),
    );
    const others = names.splice(FEW).length;
    return [...names, ...(others > 0 ? [`${others} more`] : [])].join(', ');
}

/** Says which run of another process keeps a run from its lane, and what to do where that process is gone. */
async function describeHolder(run: Run, bot: Bot): Promise<string | undefined> {
    const history = await bot.history();
    const past = await history.search(run.job, {}, NEWEST).finally(() => history.close());
    const holder = past.find(
        (found) => found.kind === 'run' && found.endedAt === undefined && laneOf(found) === laneOf(run),
    );
    if (holder?.kind !== 'run') return undefined;
    const { startedAt, pid, host, outcome } = holder;
    const since = `since ${formatUniqueMoment(startedAt / 1000)} (${formatDuration(Date.now() - startedAt)})`;
    return outcome === 'running'
        ? `That run has been going on ${since}, in process ${pid} of ${host}.`
        : `That run has been unfinished ${since}, and its process ${pid} is gone: a started bot gives it up within some 10 s.`;
}

async function parseSlot(bot: Bot, name: string, text: string): Promise<number> {
    const { plans, timezone } = await bot.survey();
    const zone = timezoneOf(findPlan(name, plans), timezone);
    return parseMomentOption('--at', text, { now: unixNow(), timezone: zone });
}

/** Reads args from JSON; BadOptionError for anything but an array. */
export function parseArguments(text: string | undefined, option = '--arguments'): unknown[] | undefined {
    if (text === undefined) return undefined;
    const complaint = `${option} ${text || "''"} is not a JSON array, like '["a", { "b": 1 }]'`;
    try {
        const args: unknown = JSON.parse(text);
        if (Array.isArray(args)) return args;
    } catch (error) {
        throw new BadOptionError(`${complaint}: ${(error as Error).message}`);
    }
    throw new BadOptionError(`${complaint}.`);
}

function unixNow(): number {
    return Math.floor(Date.now() / 1000);
}
