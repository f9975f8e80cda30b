import { stripVTControlCharacters } from 'node:util';
import type { ChalkInstance } from 'chalk';
import type { LogFormat } from './config.js';
import { formatDuration } from './duration.js';
import type { BotEvent, Emit } from './events.js';
import type { JournalTrouble } from './journal.js';
import { formatMoment } from './moment.js';
import { paint } from './paint.js';
import { describeProblem } from './problem.js';
import { latenessOf, type Outcome, type Run } from './run.js';

/** A run that starts this long after its slot is worth a word, in milliseconds. */
const NOTABLE_LATENESS = 1_000;

/** The folder of this package's code, as stacks name it. */
const OWN_FOLDER = new URL('.', import.meta.url).href;

/** Skips that are no news: the job is meant to be skipped, or the run happens elsewhere. */
const EXPECTED_SKIPS = ['overlap', 'environment', 'claimed elsewhere', 'paused'];

interface Line {
    readonly text: string;
    /** Trouble goes to standard error. */
    readonly isTrouble: boolean;
}

/**
 * The log: every sentence about what happens stands in this file.
 *
 * @param format asked at each event: the config is read after the log is made
 * @returns what is to hear of the events
 */
export function createLog(format: () => LogFormat): Emit {
    return (event) => {
        const chosen = format();
        if (chosen === 'silent') return;
        const line = sentence(event);
        if (!line) return;
        const text =
            chosen === 'json' ? JSON.stringify(record(event)) : `${paint.dim(timeOfDay())} ${line.text}`;
        // chalk looks at standard output alone; standard error may go to a file.
        if (line.isTrouble) console.error(process.stderr.isTTY ? text : stripVTControlCharacters(text));
        else console.log(text);
    };
}

function sentence(event: BotEvent): Line | undefined {
    switch (event.type) {
        case 'bot-started':
            return news(
                `bot started: ${count(event.jobs, 'background job')}, ${count(event.schedules, 'schedule')}, ` +
                    `${event.next === undefined ? 'nothing to come' : `next slot ${formatMoment(event.next)}`} (${event.engine})`,
            );
        case 'bot-stopping':
            return event.runs > 0
                ? news(`bot stopping: waiting for ${count(event.runs, 'run')} in flight`)
                : undefined;
        case 'bot-stopped':
            return news('bot stopped');
        case 'job-invalid':
            return trouble(describeProblem(event.problem));
        case 'run-ended':
            return ofRun(event.run);
        case 'run-retrying':
            return trouble(
                `${paint.yellow('retrying')} ${nameOf(event.run)} in ${formatDuration(event.delay)} after attempt ` +
                    `${event.run.attempt} failed: ${event.error.message}`,
            );
        case 'run-ignores-signal':
            return trouble(
                `${paint.yellow('stuck')} ${nameOf(event.run)} goes on after ${formatDuration(event.age)} although its ` +
                    `signal was aborted (${event.reason}): let it heed this.signal`,
            );
        case 'run-abandoned':
            return trouble(
                `${paint.red('abandoned')} ${nameOf(event.run)} after ${formatDuration(event.age)}: it did not end`,
            );
        case 'lane-blocked':
            return trouble(
                `${paint.yellow('overlap')} ${nameOf(event.run)} has been running for ${formatDuration(event.age)}: ` +
                    `${count(event.skips, 'run')} skipped behind it so far`,
            );
        case 'slots-unrun':
            return trouble(
                `${paint.yellow('missed')} ${event.job}: ${event.atLeast ? 'at least ' : ''}${count(event.count, 'slot')} from ` +
                    `${formatMoment(event.first)} to ${formatMoment(event.last)} not run (${event.reason})`,
            );
        case 'run-was-lost':
            return trouble(
                `${paint.yellow('warning')} ${nameOf(event.run)} ended (${event.run.outcome}) after other processes had given ` +
                    'it up as lost: this process had shown no life for 10 s',
            );
        case 'journal-trouble':
            return trouble(
                `${paint.yellow('journal')} ${event.path}: ${JOURNAL_TROUBLES[event.trouble](event.detail)}`,
            );
        case 'redis-away':
            return trouble(
                `${paint.yellow('redis')} ${event.place} cannot be used (${event.detail}): nothing new starts until it can; ` +
                    'what is due meanwhile is caught up then',
            );
        case 'redis-back':
            return news(
                `${paint.green('redis')} ${event.place} can be used again, after ${formatDuration(event.after)}`,
            );
        case 'engine-failed':
            return trouble(`${paint.yellow('warning')} the queue in Redis: ${event.error.message}`);
        case 'clock-differs':
            return trouble(
                `${paint.yellow('warning')} this machine's clock is ${formatDuration(Math.abs(event.by))} ` +
                    `${event.by > 0 ? 'ahead of' : 'behind'} that of Redis: its slots come at other times than elsewhere, set it (NTP)`,
            );
        case 'clock-gap':
            return event.now - event.after > 10
                ? trouble(
                      `the process was blocked or asleep from ${formatMoment(event.after)} to ${formatMoment(event.now)}`,
                  )
                : undefined;
        case 'clock-set-back':
            return trouble(
                `the clock was set back from ${formatMoment(event.from)} to ${formatMoment(event.to)}: ` +
                    (event.adopted
                        ? 'going on from there'
                        : 'nothing runs until the old time is reached again'),
            );
        case 'stray-error':
            return trouble(
                `${paint.red('failed')} ${nameOf(event.run)} outside of its promise${stackOf(event.run, event.error)}`,
            );
        case 'cleanup-failed':
            return trouble(
                `${paint.yellow('warning')} ${nameOf(event.run)}: a service's destroy() threw after it${stackOf(event.run, event.error)}`,
            );
        case 'hook-failed':
            return trouble(
                `${paint.yellow('warning')} ${nameOf(event.run)}: its hook ${event.hook} threw${stackOf(event.run, event.error)}`,
            );
        case 'listener-failed':
            return trouble(
                `${paint.yellow('warning')} the bot's listener threw at ${event.to}${traceOf(event.error)}`,
            );
        case 'run-started':
            return undefined;
    }
}

const JOURNAL_TROUBLES: Record<JournalTrouble, (detail: string) => string> = {
    locked: () => 'another process keeps it locked: nothing starts until that ends',
    newer: () =>
        'a newer release of pinstripe-bot has changed it: claiming goes on, some of the history may be missing',
    'too new': () =>
        'a newer release of pinstripe-bot has changed it: nothing runs here, update this release',
    'set aside': (path) => `it was corrupt: it was renamed to ${path}, and a new one begun`,
    corrupt: (error) =>
        `it is corrupt, and other processes hold it open: nothing runs here until they are stopped (${error})`,
    unwritable: (error) => `it cannot be written: going on in memory, slots may run twice (${error})`,
    required: (error) => `it cannot be written, and is required: nothing runs until it can be (${error})`,
    failed: (error) => `something could not be recorded (${error})`,
};

const COLOURS: Record<Outcome, ChalkInstance> = {
    succeeded: paint.green,
    failed: paint.red,
    timed_out: paint.red,
    aborted: paint.yellow,
    skipped: paint.yellow,
    lost: paint.red,
};

function ofRun(run: Run): Line | undefined {
    const { outcome = 'lost', reason, startedAt, endedAt, error } = run;
    if (outcome === 'skipped' && EXPECTED_SKIPS.includes(reason ?? '')) return undefined;
    const details = [
        startedAt !== undefined && endedAt !== undefined && formatDuration(endedAt - startedAt),
        latenessOf(run) >= NOTABLE_LATENESS && !run.manual && `${formatDuration(latenessOf(run))} late`,
        run.attempt > 1 && `attempt ${run.attempt}`,
        reason,
    ].filter(Boolean);
    const text = `${COLOURS[outcome](outcome)} ${nameOf(run)}${details.length > 0 ? ` ${paint.dim(`(${details.join(', ')})`)}` : ''}`;
    if (outcome === 'succeeded' || outcome === 'skipped') return news(text);
    return trouble(error ? text + stackOf(run, error) : text);
}

function nameOf({ job, tenant }: Run): string {
    return tenant === undefined ? paint.bold(job) : `${paint.bold(job)} [tenant ${tenant}]`;
}

// The job's file stands in the line, for errors whose stack does not lead there.
function stackOf({ file }: Run, error: Error): string {
    return `${file ? `, in ${file}` : ''}${traceOf(error)}`;
}

function traceOf(error: Error): string {
    const cause = error.cause instanceof Error ? `\ncaused by ${appStack(error.cause)}` : '';
    return `\n${appStack(error)}${cause}`.replaceAll('\n', '\n    ');
}

// What called the job's run() is always the same, and says nothing about the failure.
function appStack(error: Error): string {
    const lines = (error.stack ?? `${error.name}: ${error.message}`).split('\n');
    const ours = lines.findIndex((line) => line.includes(OWN_FOLDER));
    return (ours === -1 ? lines : lines.slice(0, ours)).join('\n');
}

function record(event: BotEvent): object {
    return {
        time: new Date().toISOString(),
        ...(JSON.parse(JSON.stringify(event, errorsAsObjects)) as object),
    };
}

function errorsAsObjects(_key: string, value: unknown): unknown {
    return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
}

function news(text: string): Line {
    return { text, isTrouble: false };
}

function trouble(text: string): Line {
    return { text, isTrouble: true };
}

function count(number: number, noun: string): string {
    return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function timeOfDay(): string {
    return new Date().toTimeString().slice(0, 8);
}
