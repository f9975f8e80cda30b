import type { FoundRun, History } from '../runs/history.js';
import { paintOutcome } from '../runs/log.js';
import { shownOutput } from '../runs/output.js';
import { foundRunAsJson } from '../runs/run_json.js';
import type { Bot } from '../scheduler/bot.js';
import { findPlan } from '../scheduler/requests.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { printable, printableLines } from '../text/printable.js';
import { renderTable } from '../text/table.js';
import { outputWidth } from '../text/terminal.js';
import { formatUniqueMoment } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { factsOf } from './run_facts.js';
import { thrownAt } from './thrown_at.js';

/** As many of a job's last runs are looked through for the one that is asked for by its number. */
const MOST_NUMBERED = 1_000;

/**
 * Prints one run, with its output.
 *
 * @param which its id, or `'1'` for the last one that started, `'2'` for the one before
 * @throws Error where there is no such job, or history has no such run
 */
export async function printRun(
    bot: Bot,
    name: string,
    which: string,
    options: { json: boolean; root: string; timezone: string | undefined },
): Promise<void> {
    const survey = await bot.survey();
    const { name: job } = findPlan(name, survey.plans);
    const history = await bot.history();
    try {
        const run = await history.run(job, await idOf(history, job, which));
        if (!run)
            throw new Error(
                `The history has no run ${JSON.stringify(which)} of the background job "${job}": ` +
                    'without --run, --json lists those that it has, with their ids.',
            );
        if (options.json) return printJson({ run: foundRunAsJson(run) });
        const timezone = options.timezone ?? survey.timezone ?? processTimezone();
        console.log(renderRun(run, options.root, timezone).join('\n'));
    } finally {
        await history.close();
    }
}

async function idOf(history: History, job: string, which: string): Promise<string> {
    if (!/^\d{1,4}$/.test(which)) return which;
    const past = await history.search(job, {}, MOST_NUMBERED);
    return past.flatMap((one) => (one.kind === 'run' ? [one.id] : []))[Number(which) - 1] ?? which;
}

function renderRun(run: FoundRun, root: string, timezone: string): string[] {
    const facts = factsOf(run, (moment) => formatUniqueMoment(moment / 1000, timezone));
    const rows = facts.map(([name, value]) => [name, printable(value.join(''))]);
    const [, ...table] = renderTable(
        ['', `(${timezone})`],
        [['outcome', paintOutcome(run.outcome)], ...rows],
        outputWidth(),
    );
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
