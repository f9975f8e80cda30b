import { paintOutcome } from '../runs/log.js';
import type { FoundRun } from '../runs/lookups.js';
import { shownOutput } from '../runs/output.js';
import { foundRunAsJson } from '../runs/run_json.js';
import type { Bot } from '../scheduler/bot.js';
import { findPlan } from '../scheduler/requests.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { printable, printableLines } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { outputWidth } from '../text/terminal.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { describeArgs } from './page.js';
import { thrownAt } from './thrown_at.js';

/** As many of a job's last runs are looked through for the one that is asked for by its number. */
const MOST_NUMBERED = 1_000;

interface WhichRun {
    readonly job: string;
    /** Its id, or `'1'` for the last one that started, `'2'` for the one before. */
    readonly run: string;
}

/**
 * Prints one run, with its output.
 *
 * @throws Error where there is no such job, or history has no such run
 */
export async function printRun(
    bot: Bot,
    which: WhichRun,
    { json, root, timezone }: { json: boolean; root: string; timezone: string | undefined },
): Promise<void> {
    const survey = await bot.survey();
    const { name: job } = findPlan(which.job, survey.plans);
    const history = await bot.history();
    try {
        const id = /^\d{1,4}$/.test(which.run) ? await idOf(history, job, Number(which.run)) : which.run;
        const run = id === undefined ? undefined : await history.run(job, id);
        if (!run)
            throw new Error(
                `The history has no run ${JSON.stringify(which.run)} of the background job "${job}": ` +
                    'without --run, --json lists those that it has, with their ids.',
            );
        if (json) return printJson({ run: foundRunAsJson(run) });
        const lines = renderRun(run, {
            root,
            timezone: timezone ?? survey.timezone ?? processTimezone(),
            width: outputWidth(),
        });
        console.log(lines.join('\n'));
    } finally {
        await history.close();
    }
}

async function idOf(
    history: Awaited<ReturnType<Bot['history']>>,
    job: string,
    place: number,
): Promise<string | undefined> {
    const past = await history.of(job, MOST_NUMBERED);
    return past.flatMap((one) => (one.kind === 'run' ? [one.id] : []))[place - 1];
}

function renderRun(
    run: FoundRun,
    { root, timezone, width }: { root: string; timezone: string; width: number },
): string[] {
    const { outcome, startedAt, endedAt, scheduledAt, schedule, lateBy, attempt, tenant, args } = run;
    const moment = (ms: number) => formatUniqueMoment(ms / 1000, timezone);
    const facts: readonly [string, string | false | undefined][] = [
        [
            'outcome',
            outcome === 'running' || outcome === 'waiting' ? paint.cyan(outcome) : paintOutcome(outcome),
        ],
        ['reason', run.reason && printable(run.reason)],
        ['slot', scheduledAt !== undefined && `${moment(scheduledAt * 1000)}, ${schedule ?? 'by hand'}`],
        ['requested by', run.manual && printable(run.requestedBy ?? 'unknown')],
        ['started', startedAt !== undefined && moment(startedAt)],
        ['ended', endedAt !== undefined && moment(endedAt)],
        ['took', startedAt !== undefined && endedAt !== undefined && formatDuration(endedAt - startedAt)],
        ['late by', lateBy > 0 && formatDuration(lateBy)],
        ['attempts', attempt > 0 && String(attempt)],
        ['tenant', tenant !== undefined && printable(String(tenant))],
        ['args', args.length > 0 && describeArgs(args)],
        ['process', startedAt !== undefined && run.host !== '' && `${run.pid} on ${printable(run.host)}`],
    ];
    const rows = facts.flatMap(([name, value]) => (value ? [[name, value]] : []));
    const [, ...table] = renderTable(['', `(${timezone})`], rows, width);
    const place = run.stack && thrownAt(run.stack, root);
    return [
        '',
        `${paint.bold(printable(run.job))}, run ${printable(run.id)}`,
        '',
        ...table.flat().map((line) => `  ${line}`),
        ...part(place ? `Error at ${place}` : 'Error', run.stack ?? run.error),
        ...part('Output', run.output && shownOutput(run.output).replace(/\n$/, '')),
        '',
    ];
}

function part(title: string, text: string | undefined): string[] {
    if (!text) return [];
    const lines = printableLines(text).split('\n');
    return ['', paint.bold(title), ...lines.map((line) => `  ${line}`)];
}
