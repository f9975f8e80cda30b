import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Json } from '../../lib/schedule/args.js';
import type { BackgroundJobClass, BackgroundJobDefinition } from '../../types/background_job.js';
import type { Services } from '../../types/framework.js';
import { createBot, openApp, within } from '../support/fixture_app.js';
import { ending, gate, job } from '../support/jobs.js';

await openApp();
const { BackgroundJob } = await import('../../lib/index.js');
const { Bot } = await import('../../lib/scheduler/bot.js');
const { parseConfig } = await import('../../lib/config/config.js');
const { ServiceFactory, Workspace } = await import('../../lib/framework.js');
const { ManualClock } = await import('../../lib/time/manual_clock.js');

const MIDNIGHT = Date.parse('2026-01-01T00:00:00Z') / 1000;

// The first workspace of a process imports the framework's files, which takes real time.
await Workspace.run(async () => {});

let notes: unknown[];

beforeEach(() => {
    notes = [];
});

afterEach(() => {
    for (const name of BackgroundJob.names) BackgroundJob.unregister(name);
});

/** Registers a job with a file, as a job file would. */
function register(
    name: string,
    crontab: string | string[],
    run: BackgroundJobDefinition['run'],
    settings: object = {},
) {
    const { meta, ...definition } = job(crontab, run, settings);
    BackgroundJob.register(name, {
        ...definition,
        meta(this: BackgroundJobClass) {
            this.filePaths.push(`/app/lib/background_jobs/${name}.js`);
            meta?.call(this);
        },
    });
}

/** A bot that has started, half a second before a minute. */
async function startBot(config: object = {}) {
    const clock = new ManualClock((MIDNIGHT - 0.5) * 1000);
    const heardBot = await createBot({ clock, config });
    const loop = heardBot.bot.start();
    await clock.advance(0);
    return { ...heardBot, clock, loop };
}

/** Runs what is due at midnight, by a bot that was never started. */
async function runAtMidnight(parts: Parameters<typeof createBot>[0] = {}) {
    const heardBot = await createBot(parts);
    const runs = await within(heardBot.bot.runBackgroundJobs(MIDNIGHT), 'the runs');
    return { ...heardBot, runs, endings: runs.map(ending) };
}

describe('start()', () => {
    test('returns the promise of the loop, the same one while it runs, which resolves when the bot has stopped', async () => {
        const { bot, loop, eventsOf } = await startBot();
        assert.equal(bot.start(), loop);
        let isOver = false;
        void loop.then(() => {
            isOver = true;
        });
        await nextTurn();
        assert.equal(isOver, false);
        await bot.stop();
        await within(loop, 'the end of the loop');
        assert.equal(eventsOf('bot-started').length, 1);
    });

    test('tells what it found', async () => {
        register('a', ['0 * * * *', '30 2 * * *'], () => {});
        register('b', '60 * * * *', () => {});
        const { bot, eventsOf } = await startBot();
        assert.deepEqual(eventsOf('bot-started'), [
            { type: 'bot-started', jobs: 2, schedules: 2, next: MIDNIGHT, engine: 'embedded, in memory' },
        ]);
        assert.deepEqual(
            eventsOf('job-invalid').map(({ problem }) => [problem.job, problem.file]),
            [['b', '/app/lib/background_jobs/b.js']],
        );
        await bot.stop();
    });

    test('right after stop() waits for the stop, and then runs', async () => {
        const { opened, open } = gate();
        register('slow', '0 * * * * *', async () => {
            await opened;
            notes.push('ended');
        });
        const { bot, clock, eventsOf } = await startBot();
        await clock.advance(500);
        const stopped = bot.stop();
        const second = bot.start();
        await clock.advance(0);
        assert.deepEqual([eventsOf('bot-started').length, notes], [1, []]);
        open();
        await within(stopped, 'the first stop');
        await clock.advance(0);
        assert.equal(eventsOf('bot-started').length, 2);
        assert.equal(bot.start(), second);
        await bot.stop();
        await within(second, 'the end of the second loop');
    });

    test('rejects with a ConfigError where the config is wrong, and works when it is mended', async () => {
        let section: object = { concurency: 2 };
        const bot = new Bot({ config: async () => parseConfig({ log: 'silent', ...section }) });
        await assert.rejects(bot.start(), { name: 'ConfigError', message: /did you mean "concurrency"/ });
        await within(bot.stop(), 'a stop after a failed start');
        await assert.rejects(bot.runBackgroundJobs(MIDNIGHT), { name: 'ConfigError' });
        section = {};
        const loop = bot.start();
        await bot.stop();
        await within(loop, 'the end of the loop');
        assert.deepEqual(await bot.runBackgroundJobs(MIDNIGHT), []);
    });
});

describe('stop(), and destroy()', () => {
    test('are no-ops on a bot that never started, also within a run that somebody asked for', async () => {
        const { bot, events } = await createBot();
        await bot.stop();
        await bot.destroy();
        assert.deepEqual(events, []);
        register('stopper', '0 * * * * *', () => bot.stop());
        const [run] = await within(bot.runBackgroundJobs(MIDNIGHT), 'the run');
        assert.equal(run?.outcome, 'succeeded');
    });

    test('stop once, however often they are called', async () => {
        const { bot, eventsOf, loop } = await startBot();
        await Promise.all([bot.stop(), bot.destroy(), bot.stop()]);
        await loop;
        await bot.stop();
        await bot.destroy();
        assert.equal(eventsOf('bot-stopping').length, 1);
        assert.equal(eventsOf('bot-stopped').length, 1);
    });

    test('stop a bot that is still starting', async () => {
        const { bot, eventsOf } = await createBot();
        const loop = bot.start();
        await within(bot.stop(), 'the stop');
        await within(loop, 'the end of the loop');
        assert.deepEqual(eventsOf('run-started'), []);
    });

    test('within a job wait for the others, and not for that job', async () => {
        const { opened, open } = gate();
        const { bot, clock, loop } = await startBot({ concurrency: 2 });
        register('other', '0 * * * * *', async () => {
            await opened;
            notes.push('other ended');
        });
        register('stopper', '0 * * * * *', async () => {
            await bot.destroy();
            notes.push('stopped');
        });
        await clock.advance(1_000);
        assert.deepEqual(notes, []);
        open();
        await within(loop, 'the end of the loop');
        assert.deepEqual(notes, ['other ended', 'stopped']);
    });

    test('within two jobs at once, one of which runs the other, and by hand, do not wait for each other', async () => {
        const { bot, clock, loop } = await startBot({ concurrency: 2 });
        const { opened, open } = gate();
        let arrived = 0;
        const stop = async () => {
            arrived += 1;
            if (arrived === 3) open();
            await opened;
            await bot.stop();
            notes.push('stopped');
        };
        register('inner', [], stop);
        register('outer', '0 * * * * *', () => bot.runBackgroundJob('inner'));
        register('stopper', '0 * * * * *', stop);
        register('by-hand', [], stop);
        const byHand = bot.runBackgroundJob('by-hand');
        await clock.advance(1_000);
        await within(loop, 'the end of the loop');
        await within(byHand, 'the manual run');
        assert.deepEqual(notes, ['stopped', 'stopped', 'stopped']);
    });
});

describe('runBackgroundJobs()', () => {
    test('runs what is due at exactly that second, needs no started bot, and resolves with the runs', async () => {
        register('minutely', '* * * * *', () => void notes.push('minutely'));
        register('secondly', '15 30 2 * * *', () => void notes.push('secondly'));
        const { bot, eventsOf, runs } = await runAtMidnight();
        assert.deepEqual(notes, ['minutely']);
        const [run, ...others] = runs;
        assert.deepEqual(others, []);
        const { job, file, outcome, scheduledAt, manual, attempt } = run ?? {};
        assert.deepEqual(
            [job, file, outcome, scheduledAt, manual, attempt],
            ['minutely', '/app/lib/background_jobs/minutely.js', 'succeeded', MIDNIGHT, true, 1],
        );
        assert.deepEqual(await bot.runBackgroundJobs(MIDNIGHT - 1), []);
        assert.deepEqual(await bot.runBackgroundJobs(MIDNIGHT + 1), []);
        const at = MIDNIGHT + 2 * 3600 + 30 * 60 + 15;
        for (const second of [at - 1, at, at + 1]) await bot.runBackgroundJobs(second);
        assert.deepEqual(notes, ['minutely', 'secondly']);
        assert.deepEqual(eventsOf('bot-started'), []);
    });

    test('hands each run its args, as a fresh copy', async () => {
        const declared: Json[] = [{ deep: true, list: [1] }, null, 'text'];
        BackgroundJob.register('mutates', {
            meta(this: BackgroundJobClass) {
                this.schedule('* * * * *', ...structuredClone(declared));
            },
            run(options: { deep: boolean; list: number[] }, ...others: unknown[]) {
                notes.push(structuredClone([options, ...others]));
                options.deep = false;
                options.list.push(2);
            },
        });
        for (let time = 0; time < 2; time += 1) {
            const { runs, endings } = await runAtMidnight();
            assert.deepEqual(endings, ['mutates succeeded'], 'the copy may be changed');
            assert.deepEqual(runs[0]?.args, declared);
        }
        assert.deepEqual(notes, [declared, declared]);
        assert.deepEqual(BackgroundJob.for('mutates').schedules, [['* * * * *', ...declared]]);
    });

    test('runs one after another: by job name, then by schedule', async () => {
        let running = 0;
        const run = async function (this: { currentRun: { job: string } }, ...args: unknown[]) {
            running += 1;
            assert.equal(running, 1, 'one at a time');
            await nextTurn();
            notes.push([this.currentRun.job, ...args].join(' '));
            running -= 1;
        };
        for (const name of ['zebra', 'ant', 'mouse']) register(name, '* * * * *', run);
        BackgroundJob.register('bee', {
            meta(this: BackgroundJobClass) {
                for (const arg of ['z', 'a', 'm']) this.schedule('* * * * *', arg);
            },
            run,
        });
        const { runs } = await runAtMidnight();
        const order = ['ant', 'bee z', 'bee a', 'bee m', 'mouse', 'zebra'];
        assert.deepEqual(notes, order);
        assert.deepEqual(
            runs.map(({ job, args }) => [job, ...args].join(' ')),
            order,
        );
        assert.ok(runs.every(({ outcome }) => outcome === 'succeeded'));
    });

    test('gives each run a job, a signal and a currentRun of its own', async () => {
        register('looks', '* * * * *', function (this: Services & { count?: number }) {
            this['count'] = (this['count'] ?? 0) + 1;
            notes.push([this['count'], this['signal'].aborted, this['currentRun']]);
        });
        const { bot, runs } = await runAtMidnight();
        runs.push(...(await bot.runBackgroundJobs(MIDNIGHT + 60)));
        assert.deepEqual(
            notes,
            runs.map(({ id, scheduledAt = 0, startedAt = 0 }) => {
                const lateBy = Math.max(0, startedAt - scheduledAt * 1000);
                const rest = { attempt: 1, tenant: undefined, manual: true };
                return [1, false, { id, job: 'looks', scheduledAt, lateBy, ...rest }];
            }),
        );
        assert.notEqual(runs[0]?.id, runs[1]?.id);
    });

    test('does not reject because jobs fail, in whichever way, and runs the others', async () => {
        const rejecting = {
            // biome-ignore lint/suspicious/noThenProperty: people return queries, which are no promises
            then: (_resolve: unknown, reject: (error: Error) => void) => reject(new Error('then')),
        };
        register('a-throws', '* * * * *', () => assert.fail('no luck'));
        register('b-rejects', '* * * * *', () => Promise.reject(new RangeError('too late')));
        register('c-text', '* * * * *', () => Promise.reject('a text'));
        register('d-nothing', '* * * * *', () => Promise.reject());
        register('e-thenable', '* * * * *', () => rejecting);
        register('f-last', '* * * * *', () => void notes.push('last'));
        const { runs, endings } = await runAtMidnight();
        assert.deepEqual(endings, [
            'a-throws failed: no luck',
            'b-rejects failed: too late',
            'c-text failed: it threw "a text", which is not an Error',
            'd-nothing failed: it threw undefined, which is not an Error',
            'e-thenable failed: then',
            'f-last succeeded',
        ]);
        assert.ok(runs.slice(0, -1).every(({ error }) => error instanceof Error));
        assert.deepEqual(notes, ['last']);
    });

    const noTimes: [unknown, RegExp][] = [
        [Date.now(), /looks like milliseconds, not unix seconds/],
        [MIDNIGHT + 0.5, /whole unix seconds/],
        [String(MIDNIGHT), /whole unix seconds/],
        [new Date(), /whole unix seconds/],
        [undefined, /whole unix seconds/],
        [Number.NaN, /whole unix seconds/],
    ];
    for (const [time, message] of noTimes) {
        test(`refuses ${typeof time} ${String(time).slice(0, 10)} and runs nothing`, async () => {
            register('job', '* * * * * *', () => void notes.push('ran'));
            const { bot } = await createBot();
            await assert.rejects(bot.runBackgroundJobs(time as number), { name: 'TypeError', message });
            assert.deepEqual(notes, []);
        });
    }

    test('claims no slot: the same second may be run again, and still belongs to the clock', async () => {
        register('job', '* * * * * *', function () {
            notes.push(this.currentRun.manual ? 'by hand' : 'on time');
        });
        const { bot, clock } = await startBot();
        for (let time = 0; time < 2; time += 1) await bot.runBackgroundJobs(MIDNIGHT);
        await clock.advance(500);
        assert.deepEqual(notes, ['by hand', 'by hand', 'on time']);
        await bot.stop();
        const [run] = await bot.runBackgroundJobs(MIDNIGHT);
        assert.equal(run?.outcome, 'succeeded', 'after the stop, too');
    });

    test('skips jobs of other environments, and says why', async () => {
        register('nightly', '* * * * *', () => {}, { environments: ['production'] });
        const { runs, endings } = await runAtMidnight({ environment: 'test' });
        assert.deepEqual([endings, runs[0]?.startedAt], [['nightly skipped (environment)'], undefined]);
        const production = await runAtMidnight({ environment: 'production' });
        assert.deepEqual(production.endings, ['nightly succeeded']);
    });

    test('does not run what is wrong, and runs the good schedules beside it', async () => {
        register('half-bad', ['60 * * * *', '* * * * *'], () => {});
        register('bad-setting', '* * * * *', () => {}, { retries: -1 });
        BackgroundJob.register('bad-meta', {
            meta(this: BackgroundJobClass) {
                this.schedule('* * * * *');
                throw new Error('no');
            },
            run() {},
        });
        const { endings } = await runAtMidnight();
        assert.deepEqual(endings, ['half-bad succeeded']);
    });

    test('within a job that is due itself runs the others and skips that job', async () => {
        const { bot } = await createBot();
        register('nested', '* * * * *', async () => {
            const runs = await bot.runBackgroundJobs(MIDNIGHT);
            notes.push(...runs.map(ending));
        });
        register('other', '* * * * *', () => {});
        await within(bot.runBackgroundJobs(MIDNIGHT), 'the runs');
        assert.deepEqual(notes, ['nested skipped (overlap)', 'other succeeded']);
    });
});

describe('the workspace of a run', () => {
    const resource = (name: string, destroy: () => void) =>
        ServiceFactory.register(name, {
            create(this: Services) {
                return this.context.root['getOrCreate'](name, () => ({ destroy }));
            },
        });
    resource('resource', () => void notes.push('destroyed'));
    resource('badResource', () => {
        throw new Error('cannot be closed');
    });
    const use = (services: Services) => {
        assert.ok(services['resource']);
        notes.push('used');
    };

    test('is fresh, and its context is destroyed when the run has ended, before the next starts', async () => {
        const contexts = new Set();
        const run = async function (this: Services) {
            assert.equal(this.context['left'], undefined);
            this.context['left'] = 'behind';
            this.initialParams['left'] = 'behind';
            contexts.add(this.context);
            use(this);
            await nextTurn();
            notes.push('ended');
        };
        for (const name of ['a', 'b']) register(name, '* * * * *', run);
        const { endings } = await runAtMidnight();
        assert.deepEqual(endings, ['a succeeded', 'b succeeded']);
        assert.equal(contexts.size, 2);
        assert.deepEqual(notes, ['used', 'ended', 'destroyed', 'used', 'ended', 'destroyed']);
    });

    test('is apart from the workspace that asks', async () => {
        register('job', '* * * * *', function (this: Services) {
            notes.push(this.context['mine'], this.initialParams['mine']);
        });
        await Workspace.run(async function () {
            this.context['mine'] = 1;
            this.initialParams['mine'] = 1;
            await runAtMidnight();
        });
        assert.deepEqual(notes, [undefined, undefined]);
    });

    const endings: [string, () => unknown, string][] = [
        ['throws', () => assert.fail('no'), 'failed'],
        ['rejects', () => Promise.reject(new Error('no')), 'failed'],
        ['times out', () => new Promise((resolve) => setTimeout(resolve, 30)), 'timed_out'],
    ];
    for (const [how, end, outcome] of endings) {
        test(`is destroyed when the job ${how}`, async () => {
            const run = function (this: Services) {
                use(this);
                return end();
            };
            register('job', '* * * * *', run, outcome === 'timed_out' ? { timeout: '5ms' } : {});
            const { runs } = await runAtMidnight();
            assert.deepEqual([runs[0]?.outcome, notes], [outcome, ['used', 'destroyed']]);
        });
    }

    test('is one for each attempt', async () => {
        const run = function (this: Services) {
            use(this);
            if (this['currentRun'].attempt < 3) throw new Error('not yet');
        };
        register('job', '* * * * *', run, { retries: 2, retryDelay: '0s' });
        const { runs } = await runAtMidnight();
        assert.deepEqual([runs[0]?.outcome, runs[0]?.attempt], ['succeeded', 3]);
        assert.deepEqual(notes, Array.from({ length: 3 }, () => ['used', 'destroyed']).flat());
    });

    test('destroys the other services when one throws in destroy(), which is told, and changes no outcome', async () => {
        const errors = mock.method(console, 'error', () => {});
        const output = mock.method(console, 'log', () => {});
        register('careless', '* * * * *', function (this: Services) {
            assert.ok(this['badResource']);
            use(this);
        });
        register('fails', '* * * * *', function (this: Services) {
            assert.ok(this['badResource']);
            throw new Error('mine');
        });
        const { endings, eventsOf } = await runAtMidnight({ config: { log: 'pretty' } });
        mock.restoreAll();
        assert.deepEqual(endings, ['careless succeeded', 'fails failed: mine']);
        assert.deepEqual(notes, ['used', 'destroyed']);
        assert.deepEqual(
            eventsOf('cleanup-failed').map(({ run, error }) => [run.job, error.message]),
            [
                ['careless', 'cannot be closed'],
                ['fails', 'cannot be closed'],
            ],
        );
        assert.equal(output.mock.callCount(), 1);
        assert.match(
            String(errors.mock.calls[0]?.arguments[0]),
            /warning.*careless.*destroy\(\) threw.*careless\.js\n.*cannot be closed/,
        );
    });
});
