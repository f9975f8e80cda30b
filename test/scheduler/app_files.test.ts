import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Run } from '../../lib/runs/run.js';
import type { BotParts } from '../../lib/scheduler/runtime.js';
import type { Services } from '../../types/framework.js';
import { openApp, within } from '../support/fixture_app.js';

const app = await openApp({
    // The framework imports it before the job, and waits for it.
    'lib/a_gate.js': 'await new Promise((open) => { globalThis.openGate = open; });\n',
    'lib/background_jobs/late.js': `export default {
        meta(){ this.schedule('* * * * *'); },
        run(){}
    };`,
});
const { Bot } = await import('../../lib/scheduler/bot.js');
const { ManualClock, simulate } = await import('../../lib/testing.js');
const { Workspace } = await import('../../lib/framework.js');

const START = '2026-01-01T00:00:00Z';
const newBot = (parts: BotParts = {}) =>
    new Bot({ config: async () => ({ log: 'silent', timezone: 'UTC', journal: false }), ...parts });

const jobsOf = (runs: readonly Run[]) => runs.map(({ job }) => job);

/** Starts a bot, and stops it: says how many jobs it has found. */
const startAndStop = () =>
    new Promise((resolve) => {
        const bot = newBot({
            clock: new ManualClock(START),
            listen: (event) => {
                if (event.type === 'bot-started') resolve(bot.stop().then(() => event.jobs));
            },
        });
        void bot.start();
    });

/** What somebody may ask for, and what comes of it where the app has one job. */
const ENTRIES: Record<string, [enter: () => Promise<unknown>, found: unknown]> = {
    'simulate()': [async () => jobsOf(await simulate(START, '2026-01-01T00:01:00Z')), ['late']],
    'bot.start()': [startAndStop, 1],
    'bot.runBackgroundJobs()': [
        async () => jobsOf(await newBot().runBackgroundJobs(Date.parse(START) / 1000)),
        ['late'],
    ],
    'bot.runBackgroundJob()': [async () => jobsOf(await newBot().runBackgroundJob('late')), ['late']],
    'bot.pauseBackgroundJob()': [() => newBot().pauseBackgroundJob('late'), 'late'],
    'this.runBackgroundJob()': [
        () =>
            Workspace.run(async function (this: Services) {
                return jobsOf(await this['runBackgroundJob']('late'));
            }),
        ['late'],
    ],
};

describe('whoever imports the app without waiting for its files', () => {
    const gate = globalThis as { openGate?: () => void };
    const results = new Map<string, Promise<unknown>>();
    const settled: string[] = [];

    before(async () => {
        await import(join(app.root, 'lib/index.js'));
        for (const [name, [enter]] of Object.entries(ENTRIES)) {
            const result = enter();
            const note = () => void settled.push(name);
            result.then(note, note);
            results.set(name, result);
        }
        while (!gate.openGate) await nextTurn();
        for (let turn = 0; turn < 100; turn++) await nextTurn();
    });

    test('waits for them', () => {
        assert.deepEqual(settled, []);
        gate.openGate?.();
    });

    for (const [name, [, found]] of Object.entries(ENTRIES)) {
        test(`finds the job with ${name}`, async () => {
            assert.deepEqual(await within(results.get(name) as Promise<unknown>, name), found);
        });
    }
});
