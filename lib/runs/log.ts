import { stripVTControlCharacters } from 'node:util';
import type { ChalkInstance } from 'chalk';
import type { LogFormat } from '../config/config.js';
import { describeProblem } from '../jobs/problem.js';
import { type ErrorRecord, traceOf } from '../text/errors.js';
import { count } from '../text/format.js';
import { paint } from '../text/paint.js';
import { printable, printableLines } from '../text/printable.js';
import { surviveLostOutput } from '../text/terminal.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment } from '../time/moment.js';
import { runStorage } from './active_run.js';
import type { BotEvent, Emit, JournalTrouble } from './events.js';
import { durationOf, latenessOf, type Outcome, type Run } from './run.js';
import { runAsJson } from './run_json.js';

/** How late a run has to start for the log to say so, in milliseconds. */
const NOTABLE_LATENESS = 1_000;

/** How many faults a line names. */
const FEW = 3;

/** Why slots are skipped as intended: the log says nothing. */
const EXPECTED_SKIPS = ['overlap', 'environment', 'paused'];

const COLOURS: Record<Outcome | 'running' | 'waiting', ChalkInstance> = {
    running: paint.cyan,
    waiting: paint.cyan,
    succeeded: paint.green,
    failed: paint.red,
    timed_out: paint.red,
    aborted: paint.yellow,
    skipped: paint.yellow,
    lost: paint.red,
};

/** An outcome, or the state of a run that has none yet, in its colour. */
export function paintOutcome(outcome: keyof typeof COLOURS): string {
    return COLOURS[outcome](outcome);
}

/** `info` goes to standard output, the others to standard error. */
type Level = 'info' | 'warn' | 'error';

/** The version of a line of JSON: it changes when a field gets another meaning, or is removed. */
const VERSION = 2;

type Sentence = readonly [Level, string] | undefined;

/**
 * The log. All sentences about events are in this file. It never throws: if a job has replaced `console.log`, or closed
 * what that writes to, lines are lost, and nothing else.
 *
 * @param format called at each event: the config is read after the log is made
 */
export function createLog(format: () => LogFormat): Emit {
    return (event) => {
        try {
            const chosen = format();
            if (chosen !== 'silent') write(event, chosen);
        } catch {}
    };
}

// All text in an event comes from users. Only a stack may have several lines.
function withoutControls(event: BotEvent): BotEvent {
    return JSON.parse(JSON.stringify(event), (key, value) => {
        if (typeof value !== 'string') return value;
        return key === 'stack' ? printableLines(value) : printable(value);
    });
}

function write(event: BotEvent, format: LogFormat): void {
    if (event.type === 'run-started') return;
    const sentenceOf = SENTENCES[event.type] as (event: BotEvent) => Sentence;
    const sentence = sentenceOf(withoutControls(event));
    if (!sentence) return;
    const [level, text] = sentence;
    const stream = level === 'info' ? process.stdout : process.stderr;
    const line = format === 'json' ? jsonOf(event, level, text) : `${paint.dim(timeFor(stream))} ${text}`;
    surviveLostOutput();
    // What is logged while a job runs is not its output.
    runStorage.exit(() => print(stream, line, format));
}

function print(stream: NodeJS.WriteStream, line: string, format: LogFormat): void {
    // chalk only looks at standard output; standard error may go to a file.
    if (stream === process.stdout) console.log(line);
    else console.error(format === 'json' || stream.isTTY ? line : stripVTControlCharacters(line));
}

function jsonOf(event: BotEvent, level: Level, text: string): string {
    const message = stripVTControlCharacters(text).split(/\n */, 2).join(': ');
    const { run, runs, ...rest } = event as BotEvent & { run?: Run; runs?: readonly Run[] | number };
    return JSON.stringify({
        version: VERSION,
        time: new Date().toISOString(),
        level,
        message,
        ...rest,
        ...(event.type === 'job-invalid' && { job: event.problem.job }),
        ...(run && aboutRun(event.type, run)),
        ...(runs !== undefined && { runs: typeof runs === 'number' ? runs : runs.map(runAsJson) }),
    });
}

function aboutRun(type: BotEvent['type'], run: Run): object {
    const { job, tenant, traceId } = run;
    const times = type === 'run-ended' && { duration: durationOf(run), lateBy: latenessOf(run) };
    return { job, tenant, traceId, run: runAsJson(run), ...times };
}

// A reader of a file needs the date, too.
function timeFor(stream: NodeJS.WriteStream): string {
    const [day, time] = formatUniqueMoment(Date.now() / 1000).split(' ');
    return stream.isTTY ? `${time}` : `${day} ${time}`;
}

const SENTENCES: {
    readonly [Type in Exclude<BotEvent['type'], 'run-started'>]: (
        event: Extract<BotEvent, { type: Type }>,
    ) => Sentence;
} = {
    'bot-started': ({ jobs, schedules, next, engine }) => {
        const slot = next === undefined ? 'nothing to come' : `next slot ${formatUniqueMoment(next)}`;
        const counts = `${count(jobs, 'background job')}, ${count(schedules, 'schedule')}`;
        return ['info', `bot started: ${counts}, ${slot} (${engine})`];
    },
    'bot-stopping': ({ runs }) =>
        runs > 0 ? ['info', `bot stopping: waiting for ${count(runs, 'run')} in flight`] : undefined,
    'bot-stopped': () => ['info', 'bot stopped'],
    'timezone-unreadable': ({ message }) => warning(message),
    'files-not-imported': ({ message }) => warning(message),
    'exit-forced': ({ resources }) => {
        const reason = `something keeps the process alive: ${resources.join(', ')}`;
        return ['warn', `exiting although ${reason}`];
    },
    'exit-with-runs': ({ runs }) => {
        const names = runs.map(nameOf).join(', ');
        return trouble(paint.red('exiting'), `in the middle of ${count(runs.length, 'run')}: ${names}`);
    },
    'job-invalid': ({ problem }) => [
        problem.severity === 'error' ? 'error' : 'warn',
        describeProblem(problem),
    ],
    'run-ended': ({ run }) => endOf(run),
    'run-retrying': ({ run, delay, error }) =>
        warning(
            `${nameOf(run)} in ${formatDuration(delay)} after attempt ${run.attempt} failed: ${error.message}`,
            'retrying',
        ),
    'run-ignores-signal': ({ run, age, reason }) =>
        warning(
            `${nameOf(run)} goes on after ${formatDuration(age)} although its signal was aborted (${reason}): ` +
                'let it heed this.signal',
            'stuck',
        ),
    'run-abandoned': ({ run, age }) =>
        trouble(paint.red('abandoned'), `${nameOf(run)} after ${formatDuration(age)}: it did not end`),
    'lane-blocked': ({ run, age, skips }) =>
        warning(
            `${nameOf(run)} has been running for ${formatDuration(age)}: ` +
                `${count(skips, 'run')} skipped behind it so far`,
            'overlap',
        ),
    'slots-unrun': ({ job, reason, count: slots, atLeast, first, last }) => {
        const number = `${atLeast ? 'at least ' : ''}${count(slots, 'slot')}`;
        const from = formatUniqueMoment(first);
        const span = first === last ? `at ${from}` : `from ${from} to ${formatUniqueMoment(last)}`;
        return warning(`${job}: ${number} ${span} not run (${reason})`, 'missed');
    },
    'run-was-lost': ({ run }) =>
        warning(
            `${nameOf(run)} ended (${run.outcome}) after other processes had given it up as lost: ` +
                'this process had shown no life for 10 s',
        ),
    'journal-trouble': ({ trouble, path, detail }) =>
        warning(`${path}: ${JOURNAL_TROUBLES[trouble](detail)}`, 'journal'),
    'redis-away': ({ place, detail }) => {
        const effect = 'nothing new starts until it can; what is due meanwhile is caught up then';
        return trouble(paint.yellow('redis'), `${place} cannot be used (${detail}): ${effect}`);
    },
    'redis-back': ({ place, after }) => [
        'info',
        `${paint.green('redis')} ${place} can be used again, after ${formatDuration(after)}`,
    ],
    'engine-failed': ({ error }) => trouble(paint.yellow('warning'), `the queue failed: ${error.message}`),
    'clock-differs': ({ by }) => {
        const difference = `${formatDuration(Math.abs(by))} ${by > 0 ? 'ahead of' : 'behind'} that of Redis`;
        const effect = 'its slots come at other times than elsewhere, set it (NTP)';
        return trouble(paint.yellow('warning'), `this machine's clock is ${difference}: ${effect}`);
    },
    'clock-gap': ({ after, now }) => {
        const span = `from ${formatUniqueMoment(after)} to ${formatUniqueMoment(now)}`;
        return now - after > 10 ? ['warn', `the process was blocked or asleep ${span}`] : undefined;
    },
    'clock-set-back': ({ from, to, adopted }) => {
        const span = `from ${formatUniqueMoment(from)} to ${formatUniqueMoment(to)}`;
        const effect = adopted ? 'going on from there' : 'nothing runs until the old time is reached again';
        return ['warn', `the clock was set back ${span}: ${effect}`];
    },
    'stray-error': ({ run, error }) =>
        trouble(paint.red('failed'), `${nameOf(run)} outside of its promise${stackOf(run, error)}`),
    'cleanup-failed': ({ run, error }) =>
        warning(`${nameOf(run)}: a service's destroy() threw after it${stackOf(run, error)}`),
    'hook-failed': ({ run, hook, error }) =>
        warning(`${nameOf(run)}: its hook ${hook} threw${stackOf(run, error)}`),
    'job-failing': ({ run, failures, since }) => {
        const last = run.error?.message ?? run.reason;
        const length = `${count(failures, 'run')} in a row, since ${formatUniqueMoment(since / 1000)}`;
        return trouble(paint.red('failing'), `${nameOf(run)}: ${length}, the last one with: ${last}`);
    },
    'job-recovered': ({ run, failures, since }) => {
        const length = `${count(failures, 'run')} that failed in a row, since ${formatUniqueMoment(since / 1000)}`;
        return ['info', `${paint.green('recovered')} ${nameOf(run)} after ${length}`];
    },
    'run-slow': ({ run, usual, age }) =>
        warning(
            `${nameOf(run)} has been running for ${formatDuration(age)}: it usually takes ${formatDuration(usual)}`,
            'slow',
        ),
    unhealthy: ({ faults }) => {
        const more = faults.length > FEW ? [`and ${faults.length - FEW} more: check-health lists them`] : [];
        const first = [...faults.slice(0, FEW), ...more].join('; ');
        return trouble(paint.red('unhealthy'), `/up answers 503: ${first}`);
    },
    'healthy-again': ({ after }) => [
        'info',
        `${paint.green('healthy')} again, after ${formatDuration(after)}: /up answers 200`,
    ],
    'slot-overdue': ({ run, by }) =>
        warning(
            `${nameOf(run)}: nobody got to its slot ${formatUniqueMoment(run.scheduledAt ?? 0)} for ${formatDuration(by)}`,
            'overdue',
        ),
    'heartbeat-failed': ({ job, host, ping, reason }) =>
        warning(
            `${paint.bold(job)}: its ${ping} could not be told to ${host} (${reason}): ` +
                'further failures of this kind are not told until it works again',
            'heartbeat',
        ),
    'listener-failed': ({ to, error }) => warning(`the bot's listener threw at ${to}${indented(error)}`),
};

const JOURNAL_TROUBLES: Record<JournalTrouble, (detail: string) => string> = {
    locked: () => 'another process keeps it locked: nothing starts until that ends',
    newer: () => 'a newer release of pinstripe-bot has changed it: it fits, some history may be missing',
    'set aside': (path) => `it was corrupt: it was renamed to ${path}, and a new one begun`,
    replaced: () => 'it was deleted or replaced: going on in the file that is at its path now',
    unwritable: (error) =>
        `it cannot be written: going on in memory until it can, slots may run twice (${error})`,
    required: (error) => `it cannot be written, and is required: nothing runs until it can be (${error})`,
    back: () => 'it can be written again: what happened meanwhile is in it',
};

function warning(text: string, label = 'warning'): Sentence {
    return ['warn', `${paint.yellow(label)} ${text}`];
}

function trouble(label: string, text: string): Sentence {
    return ['error', `${label} ${text}`];
}

function endOf(run: Run): Sentence {
    const { outcome = 'lost', reason, error, manual, attempt } = run;
    // Whoever has asked for a run wants to know how it ended, unless they have interrupted it.
    const isExpected = manual ? reason === 'interrupted' : EXPECTED_SKIPS.includes(reason ?? '');
    if (outcome === 'skipped' && isExpected) return undefined;
    const duration = durationOf(run);
    const lateness = latenessOf(run);
    const details = [
        duration !== undefined && formatDuration(duration),
        lateness >= NOTABLE_LATENESS && !manual && `${formatDuration(lateness)} late`,
        attempt > 1 && `attempt ${attempt}`,
        reason,
    ].filter(Boolean);
    const note = details.length > 0 ? ` ${paint.dim(`(${details.join(', ')})`)}` : '';
    const text = `${paintOutcome(outcome)} ${nameOf(run)}${note}`;
    if (outcome === 'succeeded' || outcome === 'skipped') return ['info', text];
    // A run that was aborted or timed out mostly fails with its signal's reason, which the outcome says already.
    const expected = { aborted: 'AbortError', timed_out: 'TimeoutError' }[outcome as string];
    if (!error) return ['error', text];
    return ['error', text + (error.name === expected ? placeOf(run) : stackOf(run, error))];
}

function nameOf({ job, tenant }: Run): string {
    return tenant === undefined ? paint.bold(job) : `${paint.bold(job)} [tenant ${tenant}]`;
}

function stackOf(run: Run, error: ErrorRecord): string {
    return placeOf(run) + indented(error);
}

// The line names the job's file, because not every stack leads there.
function placeOf({ file }: Run): string {
    return file ? `, in ${file}` : '';
}

function indented(error: ErrorRecord): string {
    return `\n${traceOf(error)}`.replaceAll('\n', '\n    ');
}
