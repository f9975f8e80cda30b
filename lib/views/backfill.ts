import { loadConfig } from '../config/config.js';
import { attend } from '../process/attendance.js';
import type { Run } from '../runs/run.js';
import { runAsJson } from '../runs/run_json.js';
import { planBackfill } from '../scheduler/backfill.js';
import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { findPlan, runInOrder } from '../scheduler/requests.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { count } from '../text/format.js';
import { printJson } from '../text/json_output.js';
import { printable } from '../text/printable.js';
import { isoSecond } from '../time/iso_time.js';
import { formatUniqueMoment } from '../time/moment.js';
import { parseMomentOption } from '../time/moment_input.js';
import { exitCodeFor, parseArguments, summarise } from './requested_runs.js';

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
    const { plan, runs, succeeded } = await planBackfill(
        { name, from, to, isOnlyMissing, onlyTenant, args },
        runtime,
    );
    const tell = (line: string) => (isJson ? undefined : console.log(line));
    const stretch = { from: isoSecond(from), to: isoSecond(to) };
    const slots = [...new Set(runs.map(({ scheduledAt }) => scheduledAt as number))];
    const [first, last] = [slots[0], slots.at(-1)];
    if (first === undefined || last === undefined) {
        if (isJson) return printJson({ ...stretch, runs: [] });
        const what =
            succeeded > 0
                ? `All ${count(succeeded, 'run')} have succeeded`
                : 'There is no slot, or no tenant';
        return console.log(`${what} from ${stretch.from} to ${stretch.to}: nothing to do.`);
    }
    const moment = (second: number) => formatUniqueMoment(second, timezone);
    const span = slots.length === 1 ? `at ${moment(first)}` : `from ${moment(first)} to ${moment(last)}`;
    const forWhom = runs.length > slots.length ? `, ${count(runs.length, 'run')} in all` : '';
    const left = succeeded > 0 ? `; ${count(succeeded, 'run')} that succeeded left out` : '';
    tell(`${count(slots.length, 'slot')} of ${printable(plan.name)} ${span}${forWhom}${left}`);
    if (options.dryRun) {
        if (isJson) printJson({ ...stretch, runs: runs.map(runAsJson) });
        return;
    }
    if (slots.length > MOST_UNASKED && !options.yes)
        throw new Error(
            `Those are more than ${MOST_UNASKED.toLocaleString('en')} slots: add --yes to run them.`,
        );
    await attend({ bot, isJson, runs: () => runs }, (signal) =>
        runInOrder(runs, plan, { isForced: options.force, signal }, runtime),
    );
    if (isJson) printJson({ ...stretch, runs: runs.map(runAsJson) });
    else console.log(summarise(runs));
    const next = runs.find(isLeft)?.scheduledAt;
    if (next !== undefined) {
        const rest = [
            `npx pinstripe-bot run-background-job ${plan.name} --from ${isoSecond(next)} --to ${stretch.to}`,
            isOnlyMissing && '--only-missing',
            onlyTenant !== undefined && `--tenant ${onlyTenant}`,
            options.arguments !== undefined && `--arguments '${options.arguments}'`,
            options.force && '--force',
            options.yes && '--yes',
        ];
        console.error(`Stopped at the slot ${moment(next)}. To go on:\n  ${rest.filter(Boolean).join(' ')}`);
    }
    process.exitCode ??= exitCodeFor(runs);
}

function isLeft({ outcome, reason }: Run): boolean {
    return (outcome === 'aborted' || outcome === 'skipped') && reason === 'interrupted';
}

async function stretchOf(bot: Bot, name: string, options: BackfillOptions) {
    const { schedules, settings } = findPlan(name, (await bot.survey()).plans);
    const [zone, ...others] = new Set(schedules.map((schedule) => schedule.timezone));
    const timezone = others.length === 0 ? zone : (settings.timezone ?? (await loadConfig()).timezone);
    const now = Math.floor(Date.now() / 1000);
    const from = parseMomentOption('from', options.from, { now, timezone });
    const to =
        options.to === undefined ? now + 1 : parseMomentOption('to', options.to, { now, timezone, from });
    if (to > now + 1) throw new BadOptionError('--to is in the future: a backfill runs slots that are past.');
    if (from >= to) throw new BadOptionError('--from is not before --to.');
    return { from, to, timezone };
}
