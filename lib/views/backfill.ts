import { inForeground } from '../process/foreground.js';
import type { Run } from '../runs/run.js';
import { runAsJson } from '../runs/run_json.js';
import { type Backfill, planBackfill } from '../scheduler/backfill.js';
import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { findPlan, runInOrder, timezoneOf } from '../scheduler/requests.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { count } from '../text/format.js';
import { printJson } from '../text/json_output.js';
import { printable } from '../text/printable.js';
import { formatUniqueMoment, isoSecond } from '../time/moment.js';
import { parseMomentOption } from '../time/moment_input.js';
import { conclude, parseArguments, summarise } from './requested_runs.js';

/** More slots than these want a word: somebody may have mistaken the year. */
const MOST_UNASKED = 1_000;

interface BackfillOptions {
    readonly from: string;
    readonly to?: string;
    readonly onlyMissing?: boolean;
    readonly tenant?: string;
    readonly arguments?: string;
    readonly force?: boolean;
    readonly dryRun?: boolean;
    readonly yes?: boolean;
    readonly json?: boolean;
}

/** Runs the slots of a stretch of time, one after another; prints first what it will do, and exits with the worst outcome. */
export async function runBackfill(bot: Bot, name: string, options: BackfillOptions): Promise<void> {
    const { onlyMissing: isOnlyMissing = false, tenant: onlyTenant, json: isJson = false } = options;
    const runtime = runtimeOf(bot);
    const { from, to, timezone } = await stretchOf(bot, name, options);
    const args = parseArguments(options.arguments);
    const request = { name, from, to, isOnlyMissing, onlyTenant, args };
    const backfill = await planBackfill(request, runtime);
    const { plan, runs } = backfill;
    const stretch = { from: isoSecond(from), to: isoSecond(to) };
    if (!isJson) console.log(describeBackfill(backfill, stretch, timezone));
    if (options.dryRun || runs.length === 0) {
        if (isJson) printJson({ ...stretch, runs: runs.map(runAsJson) });
        return;
    }
    if (slotsOf(backfill).length > MOST_UNASKED && !options.yes)
        throw new Error(
            `Those are more than ${MOST_UNASKED.toLocaleString('en')} slots: add --yes to run them.`,
        );
    await inForeground({ bot, isJson, runs: () => runs }, (signal) =>
        runInOrder(runs, plan, { isForced: options.force, signal }, runtime),
    );
    const next = runs.find(isLeft)?.scheduledAt;
    conclude(runs, isJson, summarise(runs), stretch);
    if (next === undefined) return;
    const rest = [
        `npx pinstripe-bot run-background-job ${plan.name} --from ${isoSecond(next)} --to ${stretch.to}`,
        isOnlyMissing && '--only-missing',
        onlyTenant !== undefined && `--tenant ${quote(onlyTenant)}`,
        options.arguments !== undefined && `--arguments ${quote(options.arguments)}`,
        options.force && '--force',
        options.yes && '--yes',
    ];
    const command = rest.filter(Boolean).join(' ');
    console.error(`Stopped at the slot ${formatUniqueMoment(next, timezone)}. To go on:\n  ${command}`);
}

/** Writes a text so that a shell takes it for one word. */
function quote(text: string): string {
    return `'${text.replaceAll("'", "'\\''")}'`;
}

function slotsOf({ runs }: Backfill): number[] {
    return [...new Set(runs.map(({ scheduledAt }) => scheduledAt as number))];
}

/** `'3 slots of my-task from 2026-11-23 02:00:00 to 2026-11-25 02:00:00, 6 runs in all; 1 run that succeeded left out'` */
function describeBackfill(
    backfill: Backfill,
    { from, to }: { from: string; to: string },
    timezone: string | undefined,
): string {
    const { plan, runs, succeeded } = backfill;
    const slots = slotsOf(backfill);
    const [first, last] = [slots[0], slots.at(-1)];
    if (first === undefined || last === undefined) {
        const all = `All ${count(succeeded, 'run')} have succeeded`;
        const what = succeeded > 0 ? all : 'There is no slot, or no tenant';
        return `${what} from ${from} to ${to}: nothing to do.`;
    }
    const moment = (second: number) => formatUniqueMoment(second, timezone);
    const span = slots.length === 1 ? `at ${moment(first)}` : `from ${moment(first)} to ${moment(last)}`;
    const forWhom = runs.length > slots.length ? `, ${count(runs.length, 'run')} in all` : '';
    const left = succeeded > 0 ? `; ${count(succeeded, 'run')} that succeeded left out` : '';
    return `${count(slots.length, 'slot')} of ${printable(plan.name)} ${span}${forWhom}${left}`;
}

function isLeft({ outcome, reason }: Run): boolean {
    return (outcome === 'aborted' || outcome === 'skipped') && reason === 'interrupted';
}

async function stretchOf(bot: Bot, name: string, options: BackfillOptions) {
    const survey = await bot.survey();
    const timezone = timezoneOf(findPlan(name, survey.plans), survey.timezone);
    const now = Math.floor(Date.now() / 1000);
    const from = parseMomentOption('--from', options.from, { now, timezone });
    const to =
        options.to === undefined ? now + 1 : parseMomentOption('--to', options.to, { now, timezone, from });
    if (to > now + 1) throw new BadOptionError('--to is in the future: a backfill runs slots that are past.');
    if (from >= to) throw new BadOptionError('--from is not before --to.');
    return { from, to, timezone };
}
