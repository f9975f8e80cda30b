import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppProcess } from '../support/app_process.js';
import { createApp } from '../support/fixture_app.js';

/** What a job may do to the output that the log goes to. */
const SABOTAGES: Record<string, string> = {
    'is read by nobody any more': '',
    'has a console.log that throws': "console.log = () => { throw new Error('no log'); };",
    'has a console without anything': 'globalThis.console = {};',
    'has a write() that throws': "process.stdout.write = () => { throw new Error('no write'); };",
    'was ended': 'process.stdout.end();',
    'was destroyed': 'process.stdout.destroy();',
};

describe('runs, while the output of their log', { concurrency: 2 }, () => {
    for (const [what, sabotage] of Object.entries(SABOTAGES)) {
        test(`${what}, end as ever`, async () => {
            const app = await createApp({
                'main.js': `
                    import { writeSync } from 'node:fs';
                    import { setImmediate as nextTurn } from 'node:timers/promises';
                    import { Bot, BackgroundJob } from 'pinstripe-bot';

                    const bot = new Bot({ listen: ({ type, run }) => type === 'run-ended' && writeSync(2, run.outcome + '\\n') });
                    BackgroundJob.register('job', {
                        meta(){ this.schedule('* * * * *'); },
                        async run(){ ${sabotage} }
                    });
                    for (let minute = 0; minute < 4; minute++) {
                        await bot.runBackgroundJobs(minute * 60);
                        await nextTurn();
                    }
                    writeSync(2, 'survived\\n');`,
            });
            // The reader goes away with the first line.
            const { stderr } = await new AppProcess('sh', ['-c', `'${process.execPath}' main.js | head -1`], {
                cwd: app.root,
            }).ended();
            assert.deepEqual(stderr.trim().split('\n'), [...Array(4).fill('succeeded'), 'survived']);
        });
    }
});
