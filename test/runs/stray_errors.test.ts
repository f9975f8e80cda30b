import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApp } from '../support/fixture_app.js';

// The test runner listens for stray errors itself: the app runs in a process of its own.
const MAIN = `
    import { writeSync } from 'node:fs';
    import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
    import { Bot, BackgroundJob } from 'pinstripe-bot';
    import { Workspace } from 'pinstripe';

    const say = (...words) => writeSync(1, words.join(' ') + '\\n');
    const bot = new Bot({
        config: async () => ({ stopTimeout: '1s', log: 'silent', journal: false }),
        listen: ({ type, run, error }) => {
            if (type === 'stray-error') say('stray', run.job, error.message);
            if (type === 'run-ended') say('ended', run.job, run.outcome, run.error?.message ?? '');
        }
    });
    const everyMinute = function () { this.schedule('* * * * *'); };
    const define = (name, run, settings = {}) => BackgroundJob.register(name, { meta: everyMinute, ...settings, run });
    const runAll = () => bot.runBackgroundJobs(0);
`;

const ofNobody = (statement: string) => `${MAIN}
    define('a', () => {});
    await runAll();
    ${statement}
    await delay(50);
    say('survived');
`;

const app = await openApp({
    'in_a_run.js': `${MAIN}
        define('a-rejection', async () => {
            Promise.reject(new Error('not awaited'));
            await delay(5);
        });
        define('b-timer', async () => {
            setTimeout(() => { throw new Error('in a timer'); }, 1);
            await delay(10);
        });
        define('c-nested', async () => {
            setImmediate(async () => {
                await nextTurn();
                throw new Error('far away');
            });
            for (let turn = 0; turn < 5; turn++) await nextTurn();
        });
        define('d-text', async () => {
            Promise.reject('a text');
            await delay(5);
        });
        define('e-both', async () => {
            Promise.reject(new Error('not awaited'));
            await delay(5);
            throw new Error('its own');
        });
        define('f-two', async () => {
            Promise.reject(new Error('first'));
            await nextTurn();
            Promise.reject(new Error('second'));
            await delay(5);
        });
        define('g-retried', async function () {
            if (this.currentRun.attempt > 1) return;
            Promise.reject(new Error('not awaited'));
            await delay(5);
        }, { retries: 1, retryDelay: '0s' });
        define('h-handled', async () => {
            const late = Promise.reject(new Error('handled'));
            await late.catch(() => {});
        });
        define('i-innocent', () => delay(5));
        define('j-listener', async function () {
            this.signal.addEventListener('abort', () => { throw new Error('in a listener'); });
            await delay(40);
        }, { timeout: '10ms' });
        await runAll();
        say('survived');
    `,
    'after_a_run.js': `${MAIN}
        define('a-careless', () => {
            setTimeout(() => { throw new Error('too late'); }, 20);
            setTimeout(() => Promise.reject(new Error('later still')), 30);
        });
        await runAll();
        await delay(60);
        say('survived');
    `,
    'two_at_once.js': `${MAIN}
        define('a', async () => {
            await delay(10);
            Promise.reject(new Error('mine'));
            await delay(30);
        });
        let over;
        define('b', () => over);
        over = bot.runBackgroundJob('a').catch(() => {});
        await bot.runBackgroundJob('b');
    `,
    'rejection_of_nobody.js': ofNobody("Promise.reject(new TypeError('of nobody'));"),
    'throw_of_nobody.js': ofNobody("setTimeout(() => { throw new TypeError('of nobody'); }, 1);"),
    'own_handlers.js': `${MAIN}
        process.on('unhandledRejection', (error) => say('rejection', error.message));
        process.on('uncaughtException', (error) => say('exception', error.message));
        define('a', () => {});
        await runAll();
        Promise.reject(new Error('of nobody'));
        setTimeout(() => { throw new Error('of nobody'); }, 1);
        await delay(50);
        say('survived');
    `,
    'warns.js': `${MAIN}
        define('a', async () => {
            Promise.reject(new Error('mine'));
            await delay(5);
        });
        await runAll();
        Promise.reject(new Error('of nobody'));
        await delay(50);
        Promise.reject(new Error('of nobody again'));
        await delay(50);
        await runAll();
        say('survived');
    `,
});

type StrayCase = [what: string, file: string, lines: string[], code?: number, option?: string];

describe('a stray error', { concurrency: 2 }, () => {
    const MINE = ['stray a mine', 'ended a failed mine'];
    const cases: StrayCase[] = [
        [
            'in a run is the failure of that run, told at once, and the process goes on',
            'in_a_run.js',
            [
                'stray a-rejection not awaited',
                'ended a-rejection failed not awaited',
                'stray b-timer in a timer',
                'ended b-timer failed in a timer',
                'stray c-nested far away',
                'ended c-nested failed far away',
                'stray d-text it threw "a text", which is not an Error',
                'ended d-text failed it threw "a text", which is not an Error',
                'stray e-both not awaited',
                'ended e-both failed its own',
                'stray f-two first',
                'stray f-two second',
                'ended f-two failed first',
                'stray g-retried not awaited',
                'ended h-handled succeeded',
                'ended g-retried succeeded',
                'ended i-innocent succeeded',
                'stray j-listener in a listener',
                'ended j-listener timed_out the run reached its timeout',
                'survived',
            ],
        ],
        [
            'after a run is told with that run, whose outcome stands, and the process goes on',
            'after_a_run.js',
            [
                'ended a-careless succeeded',
                'stray a-careless too late',
                'stray a-careless later still',
                'survived',
            ],
        ],
        [
            'is that of the run that caused it, whatever runs beside it',
            'two_at_once.js',
            [...MINE, 'ended b succeeded'],
        ],
        [
            'that is no run’s goes to the handlers of the app, once',
            'own_handlers.js',
            ['ended a succeeded', 'rejection of nobody', 'exception of nobody', 'survived'],
        ],
        [
            'that is no run’s obeys --unhandled-rejections, each time, and those of runs are still known',
            'warns.js',
            [...MINE, ...MINE, 'survived'],
            0,
            '--unhandled-rejections=warn',
        ],
        ...['rejection', 'throw'].map(
            (kind): StrayCase => [
                `that is no run’s, a ${kind}, ends the process as it would without us`,
                `${kind}_of_nobody.js`,
                ['ended a succeeded'],
                1,
            ],
        ),
    ];
    for (const [what, file, lines, code = 0, option] of cases)
        test(what, async () => {
            const ended = await app.start(option ? [option, file] : [file]).ended();
            assert.deepEqual(ended.stdout.match(/\S.*\S/g), lines);
            assert.equal(ended.code, code);
            if (code !== 0) assert.match(ended.stderr, /TypeError: of nobody\n +at .*_of_nobody\.js/);
            else if (option) assert.match(ended.stderr, /of nobody\b[\s\S]*of nobody again/);
            else assert.equal(ended.stderr, '');
        });
});
