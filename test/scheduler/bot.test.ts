import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BackgroundJobInstance } from '../../types/background_job.js';
import type { Services } from '../../types/framework.js';
import { createBot, openApp, openRegistry, within } from '../support/fixture_app.js';
import { ending, gate } from '../support/jobs.js';

await openApp();
const { notes, register } = await openRegistry();
const { Bot } = await import('../../lib/scheduler/bot.js');
const { ServiceFactory, Workspace } = await import('../../lib/framework.js');
const { ManualClock } = await import('../../lib/time/manual_clock.js');

const MIDNIGHT = Date.parse('2026-01-01T00:00:00Z') / 1000;

// The first workspace of a process imports the framework's files, which takes real time.
await Workspace.run(async () => {});

/** A bot that has started, half a second before a minute. */
async function startBot(config: object = {}) {
    const clock = new ManualClock((MIDNIGHT - 0.5) * 1000);
    const heardBot = await createBot({ clock, config });
    const loop = heardBot.bot.start();
    await clock.advance(0);
    return { ...heardBot, clock, loop };
}

describe('start()', () => {
    test('returns the promise of the loop, the same one while it runs, which resolves when the bot has stopped', async () => {
        const { bot, loop, eventsOf } = await startBot();
        assert.equal(bot.start(), loop);
        void loop.then(() => notes.push('over'));
        await nextTurn();
        assert.deepEqual(notes, []);
        await bot.stop();
        await within(loop, 'the end of the loop');
        assert.equal(eventsOf('bot-started').length, 1);
    });

    test('tells what it found', async () => {
        register('a', ['0 * * * *', '30 2 * * *']);
        register('b', '60 * * * *');
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

    test('tells once of a TZ that cannot be read', async () => {
        process.env['TZ'] = 'Mars/Base';
        try {
            const { bot, clock, eventsOf } = await startBot();
            await clock.advance(60_000);
            const [unreadable, ...others] = eventsOf('timezone-unreadable');
            assert.equal(
                unreadable?.message,
                'TZ is "Mars/Base", which is not a zone that Node can read, so UTC is used instead: ' +
                    'set TZ to the name of a zone, such as Europe/London or UTC',
            );
            assert.deepEqual(others, []);
            await bot.stop();
        } finally {
            process.env['TZ'] = 'UTC';
        }
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
        const bot = new Bot({ config: async () => ({ log: 'silent', ...section }) });
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

describe('the environment of a bot', () => {
    for (const [variable, expected] of [
        ['staging', 'staging'],
        [undefined, 'development'],
        ['', 'development'],
    ] as const)
        test(`is ${expected} where NODE_ENV is ${variable === '' ? 'empty' : variable}`, async () => {
            if (variable === undefined) delete process.env['NODE_ENV'];
            else process.env['NODE_ENV'] = variable;
            const { environment } = await new Bot().survey();
            process.env['NODE_ENV'] = 'test';
            assert.equal(environment, expected);
        });
});

describe('stop(), and destroy()', () => {
    test('stop once, however often they are called, and never what has not started', async () => {
        const { bot: idle, events } = await createBot();
        await idle.stop();
        await idle.destroy();
        assert.deepEqual(events, []);
        register('stopper', [], () => idle.stop());
        await within(idle.runBackgroundJob('stopper'), 'a run by hand');
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

    for (const method of ['stop', 'destroy'] as const) {
        test(`${method}() within a job does not wait for that job`, async () => {
            const { bot, clock, loop } = await startBot();
            register('stopper', '0 * * * * *', async () => {
                await bot[method]();
                notes.push('after the stop');
            });
            await clock.advance(1_000);
            await within(loop, 'the end of the loop');
            assert.deepEqual(notes, ['after the stop']);
        });
    }

    test('within a job wait for the others', async () => {
        const { opened, open } = gate();
        const { bot, clock, loop } = await startBot({ concurrency: 2 });
        register('other', '0 * * * * *', async () => {
            await opened;
            notes.push('other ended');
        });
        register('stopper', '0 * * * * *', async () => {
            await bot.stop();
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
        const { bot, eventsOf } = await createBot();
        assert.deepEqual(await bot.runBackgroundJobs(MIDNIGHT - 1), []);
        assert.deepEqual(await bot.runBackgroundJobs(MIDNIGHT + 1), []);
        assert.deepEqual(notes, []);

        const [run, ...others] = await bot.runBackgroundJobs(MIDNIGHT, { by: 'the crontab of web-1' });
        assert.deepEqual(notes, ['minutely']);
        assert.deepEqual(others, []);
        const { job, file, outcome, scheduledAt, manual, requestedBy, attempt } = run ?? {};
        assert.deepEqual(
            { job, file, outcome, scheduledAt, manual, requestedBy, attempt },
            {
                job: 'minutely',
                file: '/app/lib/background_jobs/minutely.js',
                outcome: 'succeeded',
                scheduledAt: MIDNIGHT,
                manual: true,
                requestedBy: 'the crontab of web-1',
                attempt: 1,
            },
        );

        const at = MIDNIGHT + 2 * 3600 + 30 * 60 + 15;
        for (const second of [at - 1, at, at + 1]) await bot.runBackgroundJobs(second);
        assert.deepEqual(notes, ['minutely', 'secondly']);
        assert.deepEqual(eventsOf('bot-started'), []);
    });

    test('gives each run a job, a signal and a currentRun of its own', async () => {
        register('looks', '* * * * *', function (this: Services & { count?: number }) {
            this['count'] = (this['count'] ?? 0) + 1;
            notes.push({ count: this['count'], aborted: this['signal'].aborted, run: this['currentRun'] });
        });
        const { bot } = await createBot();
        const run = { job: 'looks', attempt: 1, tenant: undefined, manual: true };
        for (const scheduledAt of [MIDNIGHT, MIDNIGHT + 60]) {
            const [{ id, startedAt = 0, requestedBy } = { id: '', requestedBy: '' }] =
                await bot.runBackgroundJobs(scheduledAt);
            const lateBy = Math.max(0, startedAt - scheduledAt * 1000);
            const expected = {
                count: 1,
                aborted: false,
                run: { ...run, id, scheduledAt, lateBy, requestedBy },
            };
            assert.deepEqual(notes.pop(), expected);
        }
    });

    test('does not reject because jobs fail, in whichever way, and runs the others', async () => {
        const rejecting = {
            // biome-ignore lint/suspicious/noThenProperty: people return queries, which are no promises
            then: (_resolve: unknown, reject: (error: Error) => void) => reject(new Error('then')),
        };
        const failures: [name: string, run: () => unknown, message: string][] = [
            ['a-throws', () => assert.fail('no luck'), 'no luck'],
            ['b-rejects', () => Promise.reject(new RangeError('too late')), 'too late'],
            ['c-text', () => Promise.reject('a text'), 'it threw "a text", which is not an Error'],
            ['d-nothing', () => Promise.reject(), 'it threw undefined, which is not an Error'],
            ['e-thenable', () => rejecting, 'then'],
        ];
        for (const [name, run] of failures) register(name, '* * * * *', run);
        register('f-last', '* * * * *');
        const { bot } = await createBot();
        const runs = await bot.runBackgroundJobs(MIDNIGHT);
        const failed = failures.map(([name, , message]) => `${name} failed: ${message}`);
        assert.deepEqual(runs.map(ending), [...failed, 'f-last succeeded']);
    });

    // What else is none stands in time/unix_time.test.ts.
    test('refuses what is no unix time, and runs nothing', async () => {
        register('job', '* * * * * *', () => void notes.push('ran'));
        const { bot } = await createBot();
        await assert.rejects(bot.runBackgroundJobs(Date.now()), {
            name: 'TypeError',
            message: /milliseconds/,
        });
        assert.deepEqual(notes, []);
    });

    test('claims no slot: the same second may be run again, and still belongs to the clock', async () => {
        register('job', '* * * * * *', function () {
            notes.push(this.currentRun.manual ? 'by hand' : 'on time');
        });
        const { bot, clock } = await startBot();
        for (let time = 0; time < 2; time += 1) {
            const [run] = await bot.runBackgroundJobs(MIDNIGHT);
            assert.equal(run?.outcome, 'succeeded');
        }
        await clock.advance(500);
        assert.deepEqual(notes, ['by hand', 'by hand', 'on time']);
        await bot.stop();
        const [run] = await bot.runBackgroundJobs(MIDNIGHT);
        assert.equal(run?.outcome, 'succeeded', 'after the stop, too');
    });

    test('within a job that is due itself runs the others and skips that job', async () => {
        const { bot } = await createBot();
        register('nested', '* * * * *', async () => {
            const runs = await bot.runBackgroundJobs(MIDNIGHT);
            notes.push(...runs.map(ending));
        });
        register('other', '* * * * *');
        await within(bot.runBackgroundJobs(MIDNIGHT), 'the runs');
        assert.deepEqual(notes, ['nested skipped (overlap)', 'other succeeded']);
    });
});

describe('the workspace of a run', () => {
    /** A service that keeps something on the context, as the database does. */
    const keep = (name: string, value: (context: Services) => unknown) =>
        ServiceFactory.register(name, {
            create(this: Services) {
                this.context.root['getOrCreate'](name, value);
                return true;
            },
        });
    keep('resource', () => ({ destroy: () => void notes.push('destroyed') }));
    keep('late-resource', async () => ({ destroy: () => void notes.push('destroyed late') }));
    keep('bad-resource', () => ({
        destroy() {
            throw new Error('cannot be closed');
        },
    }));
    keep('no-resource', () => Promise.reject(new Error('never came')));
    const use = (services: Services) => {
        assert.ok(services['resource']);
        notes.push('used');
    };

    test('is fresh, apart from the one that asks, and its context is destroyed when the run has ended, before the next starts', async () => {
        const contexts = new Set();
        const run = async function (this: Services) {
            for (const place of [this.context, this.initialParams]) {
                assert.equal(place['left'], undefined);
                place['left'] = 'behind';
            }
            contexts.add(this.context);
            use(this);
            await nextTurn();
            notes.push('ended');
        };
        for (const name of ['a', 'b']) register(name, '* * * * *', run);
        const { bot } = await createBot();
        const runs = await Workspace.run(async function () {
            this.context['left'] = 'behind';
            return bot.runBackgroundJobs(MIDNIGHT);
        });
        assert.deepEqual(runs.map(ending), ['a succeeded', 'b succeeded']);
        assert.equal(contexts.size, 2);
        assert.deepEqual(notes, ['used', 'ended', 'destroyed', 'used', 'ended', 'destroyed']);
    });

    const endings: [string, (this: Services) => unknown, string][] = [
        ['throws', () => assert.fail('no'), 'failed'],
        ['times out', () => new Promise((resolve) => setTimeout(resolve, 30)), 'timed_out'],
    ];
    for (const [how, end, outcome] of endings) {
        test(`is destroyed when the job ${how}`, async () => {
            const run = function (this: Services) {
                use(this);
                return end.call(this);
            };
            register('job', '* * * * *', run, outcome === 'timed_out' ? { timeout: '5ms' } : {});
            const { bot } = await createBot();
            const [ended] = await bot.runBackgroundJobs(MIDNIGHT);
            assert.equal(ended?.outcome, outcome);
            assert.deepEqual(notes, ['used', 'destroyed']);
        });
    }

    test('is one for each attempt', async () => {
        const run = function (this: BackgroundJobInstance) {
            use(this);
            if (this.currentRun.attempt < 3) throw new Error('not yet');
        };
        register('job', '* * * * *', run, { retries: 2, retryDelay: '0s' });
        const { bot } = await createBot();
        const [ended] = await bot.runBackgroundJobs(MIDNIGHT);
        assert.deepEqual([ended?.outcome, ended?.attempt], ['succeeded', 3]);
        assert.deepEqual(notes, Array.from({ length: 3 }, () => ['used', 'destroyed']).flat());
    });

    test('destroys the other services when one cannot be, which is logged, and the run is none the worse for it', async () => {
        const errors = mock.method(console, 'error', () => {});
        mock.method(console, 'log', () => {});
        register('job', '* * * * *', function (this: Services) {
            for (const name of ['badResource', 'noResource', 'lateResource']) assert.ok(this[name]);
            use(this);
        });
        register('next', '* * * * *', () => void notes.push('next'));
        const { bot, eventsOf } = await createBot({ config: { log: 'pretty' } });
        const runs = await bot.runBackgroundJobs(MIDNIGHT);
        mock.restoreAll();
        assert.deepEqual(runs.map(ending), ['job succeeded', 'next succeeded']);
        assert.deepEqual(notes, ['used', 'destroyed late', 'destroyed', 'next']);
        assert.deepEqual(
            eventsOf('cleanup-failed').map(({ run, error }) => [run.job, error.message]),
            [
                ['job', 'cannot be closed'],
                ['job', 'never came'],
            ],
        );
        assert.match(
            String(errors.mock.calls[0]?.arguments[0]),
            /warning.*job.*destroy\(\) threw.*job\.js\n.*cannot be closed/,
        );
    });

    test("a failure is the job's own, even where destroy() throws, too", async () => {
        register('job', '* * * * *', function (this: Services) {
            assert.ok(this['badResource']);
            throw new Error('mine');
        });
        const { bot } = await createBot();
        assert.deepEqual((await bot.runBackgroundJobs(MIDNIGHT)).map(ending), ['job failed: mine']);
    });
});
