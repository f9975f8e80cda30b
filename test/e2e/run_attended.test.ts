import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';
import { CTRL_C, plain, startInTerminal } from '../support/terminal.js';

/** How often a test presses a key again, in milliseconds. */
const SOON = 100;

/** Each of the binaries once: what they do at a signal is the same code. */
const BINARY_FOR = { SIGINT: 'pinstripe', SIGTERM: 'pinstripe-bot' } as const;

const JOBS = {
    ...backgroundJobs({
        heeds: `
            import { setTimeout } from 'node:timers/promises';
            export default {
                async run(){ console.log('begin'); await setTimeout(60_000, undefined, { signal: this.signal }); }
            };`,
        deaf: "export default { run(){ console.log('begin'); return new Promise(() => {}); } };",
        leaves: "export default { run(){ console.log('begin'); process.exit(0); } };",
    }),
};

describe('run-background-job', { concurrency: 2 }, () => {
    for (const [signal, code, sentence] of [
        ['SIGINT', 130, /^Interrupted: waiting for the job to heed its signal\. Ctrl-C again/],
        ['SIGTERM', 143, /^Told to end: waiting for the job to heed its signal\. A second SIGTERM/],
    ] as const) {
        const binary = BINARY_FOR[signal];
        test(`lets its job heed ${signal}, and exits with ${code} (${binary})`, async () => {
            const app = await makeApp(JOBS);
            const command = app.start(binary, ['run-background-job', 'heeds']);
            await command.printed(/^begin$/m);
            const ended = await command.ended(signal);
            assert.deepEqual([ended.code, ended.stdout], [code, 'begin\n']);
            assert.match(ended.stderr, sentence);
            assert.match(ended.stderr, /aborted heeds \(.*, interrupted\)/);
        });

        test(`exits at once with ${code} on a second ${signal}, and leaves no lane busy`, async () => {
            const app = await makeApp(JOBS);
            const command = app.start(binary, ['run-background-job', 'deaf']);
            await command.printed(/^begin$/m);
            command.signal(signal);
            const again = setInterval(() => command.signal(signal), SOON);
            const ended = await command.ended();
            clearInterval(again);
            assert.equal(ended.code, code);
            assert.match(ended.stderr, /aborted deaf \(.*, interrupted\)/);

            const next = app.start(binary, ['run-background-job', 'deaf']);
            await next.printed(/^begin$/m);
            await next.ended('SIGKILL');
        });
    }

    test('exits with 75 where another process runs the job, and says since when and which', async () => {
        const app = await makeApp(JOBS);
        const first = app.start('pinstripe', ['run-background-job', 'deaf']);
        await first.printed(/^begin$/m);
        const second = await app.run('pinstripe', ['run-background-job', 'deaf']);
        assert.equal(second.code, 75);
        assert.match(second.stdout, /skipped deaf \(overlap\)\n$/);
        assert.match(
            second.stderr,
            new RegExp(
                `^The background job "deaf" did not run: another process is running it\\.\nThat run has been going on since .*, in process ${first.pid} of .*\\.\n$`,
            ),
        );
        await first.ended('SIGKILL');
    });

    test('runs a job whose last run was killed with its process, and tells that it is lost', async () => {
        const app = await makeApp(JOBS);
        const first = app.start('pinstripe', ['run-background-job', 'deaf']);
        await first.printed(/^begin$/m);
        await first.ended('SIGKILL');
        const next = app.start('pinstripe', ['run-background-job', 'deaf']);
        await next.printed(/^begin$/m);
        await next.ended('SIGKILL');
        assert.match(next.stderr, /lost deaf \(.*, its process died\)\n$/);
    });

    test('exits with 1 where its job ends the process, and says so', async () => {
        const app = await makeApp(JOBS);
        const { code, stdout, stderr } = await app.run('pinstripe', ['run-background-job', 'leaves']);
        assert.deepEqual([code, stdout], [1, 'begin\n']);
        assert.match(
            stderr,
            /^The job ended the process before it was over: .* process\.exit\(\)\.\n.*aborted leaves \(.*, process exited\).*\n$/,
        );
        const shown = await app.run('pinstripe', ['show-background-job', 'leaves']);
        assert.match(shown.stdout, /aborted.*process exited/);
    });

    test('obeys Ctrl-C in a terminal, and says so in a line of its own', async () => {
        const app = await makeApp(JOBS);
        const command = startInTerminal(app, 'pinstripe', ['run-background-job', 'heeds']);
        await command.printed(/^begin/m);
        command.type(CTRL_C);
        const { code, stdout } = await command.ended();
        assert.equal(code, 130);
        const [begin, key, sentence, outcome] = plain(stdout).split('\n');
        assert.deepEqual([begin, key], ['begin', '^C']);
        assert.match(sentence ?? '', /^Interrupted: waiting for the job to heed its signal/);
        assert.match(outcome ?? '', /aborted heeds \(.*, interrupted\)/);
    });
});
