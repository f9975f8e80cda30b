import { stripVTControlCharacters } from 'node:util';
import type { ChalkInstance } from 'chalk';
import type { LogFormat } from '../config/config.js';
import { describeProblem } from '../jobs/problem.js';
import { type ErrorRecord, traceOf } from '../text/errors.js';
import { count } from '../text/format.js';
import { surviveLostOutput } from '../text/lost_output.js';
import { paint } from '../text/paint.js';
import { printable, printableLines } from '../text/printable.js';
import { formatDuration } from '../time/duration.js';
import { formatUniqueMoment } from '../time/moment.js';
import type { BotEvent, Emit, JournalTrouble } from './events.js';
import { durationOf, latenessOf, type Outcome, type Run } from './run.js';

/** A run that starts this long after its slot is worth a word, in milliseconds. */
const NOTABLE_LATENESS = 1_000;

/** Skips of slots that are no news: the job is meant to be skipped, or the run happens elsewhere. */
const EXPECTED_SKIPS = ['overlap', 'environment', 'claimed elsewhere', 'paused'];

const COLOURS: Record<Outcome, ChalkInstance> = {
    succeeded: paint.green,
    failed: paint.red,
    timed_out: paint.red,
    aborted: paint.yellow,
    skipped: paint.yellow,
    lost: paint.red,
};

/** An outcome in its colour. */
export function paintOutcome(outcome: Outcome): string {
    return COLOURS[outcome](outcome);
}

/** Info goes to standard output, the rest to standard error. */
interface Line {
    readonly level: 'info' | 'warn' | 'error';
    readonly text: string;
}

/**
 * The log: every sentence about what happens stands in this file. It never throws: where a job has replaced
 * `console.log`, or ended what that writes to, lines are lost, and nothing else.
 *
 * @param format asked at each event: the config is read after the log is made
 * @returns what is to hear of the events
 */
export function createLog(format: () => LogFormat): Emit {
    return (event) => {
        try {
            const chosen = format();
            if (chosen !== 'silent') write(event, chosen);
        } catch {}
    };
}

function write(event: BotEvent, format: LogFormat): void {
    const line = sentence(withoutControls(event));
    if (!line) return;
    const stream = line.level === 'info' ? process.stdout : process.stderr;
    const text =
        format === 'json'
            ? JSON.stringify(record(event, line))
            : `${paint.dim(timeFor(stream))} ${line.text}`;
    surviveLostOutput();
    // chalk looks at standard output alone; standard error may go to a file.
    if (stream === process.stdout) console.log(text);
    else console.error(format === 'json' || stream.isTTY ? text : stripVTControlCharacters(text));
}

// All texts of an event are users': a stack alone has lines.
function withoutControls(event: BotEvent): BotEvent {
    return JSON.parse(JSON.stringify(event), (key, value) => {
        if (typeof value !== 'string') return value;
        return key === 'stack' ? printableLines(value) : printable(value);
    });
}

function sentence(event: BotEvent): Line | undefined {
    switch (event.type) {
        case 'bot-started':
            return news(
                `bot started: ${count(event.jobs, 'background job')}, ${count(event.schedules, 'schedule')}, ` +
                    `${event.next === undefined ? 'nothing to come' : `next slot ${formatUniqueMoment(event.next)}`} (${event.engine})`,
            );
        case 'bot-stopping':
            return event.runs > 0
                ? news(`bot stopping: waiting for ${count(event.runs, 'run')} in flight`)
                : undefined;
        case 'bot-stopped':
            return news('bot stopped');
        case 'timezone-unreadable':
        case 'files-not-imported':
            return warning(`${paint.yellow('warning')} ${event.message}`);
        case 'exit-forced':
            return warning(
                `exiting although something keeps the process alive: ${event.resources.join(', ')}`,
            );
        case 'exit-with-runs':
            return trouble(
                `${paint.red('exiting')} in the middle of ${count(event.runs.length, 'run')}: ${event.runs.map(nameOf).join(', ')}`,
            );
        case 'job-invalid':
            return {
                level: event.problem.severity === 'error' ? 'error' : 'warn',
                text: describeProblem(event.problem),
            };
        case 'run-ended':
            return ofRun(event.run);
        case 'run-retrying':
            return warning(
                `${paint.yellow('retrying')} ${nameOf(event.run)} in ${formatDuration(event.delay)} after attempt ` +
                    `${event.run.attempt} failed: ${event.error.message}`,
            );
        case 'run-ignores-signal':
            return warning(
                `${paint.yellow('stuck')} ${nameOf(event.run)} goes on after ${formatDuration(event.age)} although its ` +
                    `signal was aborted (${event.reason}): let it heed this.signal`,
            );
        case 'run-abandoned':
            return trouble(
                `${paint.red('abandoned')} ${nameOf(event.run)} after ${formatDuration(event.age)}: it did not end`,
            );
        case 'lane-blocked':
            return warning(
                `${paint.yellow('overlap')} ${nameOf(event.run)} has been running for ${formatDuration(event.age)}: ` +
                    `${count(event.skips, 'run')} skipped behind it so far`,
            );
        case 'slots-unrun':
            return warning(
                `${paint.yellow('missed')} ${event.job}: ${event.atLeast ? 'at least ' : ''}${count(event.count, 'slot')} ` +
                    `${spanOf(event.first, event.last)} not run (${event.reason})`,
            );
        case 'run-was-lost':
            return warning(
                `${paint.yellow('warning')} ${nameOf(event.run)} ended (${event.run.outcome}) after other processes had given ` +
                    'it up as lost: this process had shown no life for 10 s',
            );
        case 'journal-trouble':
            return warning(
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
                ? warning(
                      `the process was blocked or asleep from ${formatUniqueMoment(event.after)} to ${formatUniqueMoment(event.now)}`,
                  )
                : undefined;
        case 'clock-set-back':
            return warning(
                `the clock was set back from ${formatUniqueMoment(event.from)} to ${formatUniqueMoment(event.to)}: ` +
                    (event.adopted
                        ? 'going on from there'
                        : 'nothing runs until the old time is reached again'),
            );
        case 'stray-error':
            return trouble(
                `${paint.red('failed')} ${nameOf(event.run)} outside of its promise${stackOf(event.run, event.error)}`,
            );
        case 'cleanup-failed':
            return warning(
                `${paint.yellow('warning')} ${nameOf(event.run)}: a service's destroy() threw after it${stackOf(event.run, event.error)}`,
            );
        case 'hook-failed':
            return warning(
                `${paint.yellow('warning')} ${nameOf(event.run)}: its hook ${event.hook} threw${stackOf(event.run, event.error)}`,
            );
        case 'listener-failed':
            return warning(
                `${paint.yellow('warning')} the bot's listener threw at ${event.to}${indented(event.error)}`,
            );
        case 'run-started':
            return undefined;
    }
}

const JOURNAL_TROUBLES: Record<JournalTrouble, (detail: string) => string> = {
    locked: () => 'another process keeps it locked: nothing starts until that ends',
    newer: () =>
        'a newer release of pinstripe-bot has changed it: it fits, some of the history may be missing',
    'set aside': (path) => `it was corrupt: it was renamed to ${path}, and a new one begun`,
    replaced: () => 'it was deleted or replaced: going on in the file that is at its path now',
    unwritable: (error) =>
        `it cannot be written: going on in memory until it can, slots may run twice (${error})`,
    required: (error) => `it cannot be written, and is required: nothing runs until it can be (${error})`,
    back: () => 'it can be written again: what happened meanwhile is in it',
};

function ofRun(run: Run): Line | undefined {
    const { outcome = 'lost', reason, error } = run;
    if (outcome === 'skipped' && isNoNews(run)) return undefined;
    const duration = durationOf(run);
    const details = [
        duration !== undefined && formatDuration(duration),
        latenessOf(run) >= NOTABLE_LATENESS && !run.manual && `${formatDuration(latenessOf(run))} late`,
        run.attempt > 1 && `attempt ${run.attempt}`,
        reason,
    ].filter(Boolean);
    const text = `${paintOutcome(outcome)} ${nameOf(run)}${details.length > 0 ? ` ${paint.dim(`(${details.join(', ')})`)}` : ''}`;
    if (outcome === 'succeeded' || outcome === 'skipped') return news(text);
    if (!error) return trouble(text);
    return trouble(isSignals(run, error) ? text + placeOf(run) : text + stackOf(run, error));
}

// A run that was aborted, or timed out, mostly ends with what its signal made of that: the outcome has said it.
function isSignals({ outcome }: Run, { name }: ErrorRecord): boolean {
    return (
        (outcome === 'aborted' && name === 'AbortError') ||
        (outcome === 'timed_out' && name === 'TimeoutError')
    );
}

// Who asks for a run wants to know what became of it, and who interrupts it knows.
function isNoNews({ manual, reason = '' }: Run): boolean {
    return manual ? reason === 'interrupted' : EXPECTED_SKIPS.includes(reason);
}

function nameOf({ job, tenant }: Run): string {
    return tenant === undefined ? paint.bold(job) : `${paint.bold(job)} [tenant ${tenant}]`;
}

function spanOf(first: number, last: number): string {
    if (first === last) return `at ${formatUniqueMoment(first)}`;
    return `from ${formatUniqueMoment(first)} to ${formatUniqueMoment(last)}`;
}

function stackOf(run: Run, error: ErrorRecord): string {
    return placeOf(run) + indented(error);
}

// The job's file stands in the line, for errors whose stack does not lead there.
function placeOf({ file }: Run): string {
    return file ? `, in ${file}` : '';
}

function indented(error: ErrorRecord): string {
    return `\n${traceOf(error)}`.replaceAll('\n', '\n    ');
}

function record(event: BotEvent, { level, text }: Line): object {
    const message = stripVTControlCharacters(text).split(/\n */, 2).join(': ');
    return {
        time: new Date().toISOString(),
        level,
        message,
        ...event,
        ...(event.type === 'run-ended' && { duration: durationOf(event.run), lateBy: latenessOf(event.run) }),
    };
}

function news(text: string): Line {
    return { level: 'info', text };
}

function warning(text: string): Line {
    return { level: 'warn', text };
}

function trouble(text: string): Line {
    return { level: 'error', text };
}

// Who looks on knows the day; who reads a file does not.
function timeFor(stream: NodeJS.WriteStream): string {
    const [day, time] = formatUniqueMoment(Date.now() / 1000).split(' ');
    return stream.isTTY ? `${time}` : `${day} ${time}`;
}
