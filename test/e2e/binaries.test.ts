import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
    BAD_OPTION,
    BINARIES,
    backgroundJobs,
    type InstalledApp,
    makeApp,
} from '../support/installed_app.js';

// Each command in a process of its own, once well, and badly with both binaries. What else it does is tested in this process.

const JOBS = {
    greet: `export default {
        meta(){ this.schedule('0 2 * * *', 'Ada'); },
        run(name){ console.log('hello ' + name); }
    };`,
    fail: "export default { run(){ throw new Error('no paper'); } };",
};
const BAD_JOBS = { ...JOBS, sweep: "export default { meta(){ this.schedule('60 * * * *'); }, run(){} };" };

/** What a command is called with, and what it prints: on standard output where it goes well, on standard error where not. */
type Call = readonly [words: string[], printed: RegExp, fault?: 'usage'];

const GOOD: Record<string, Call> = {
    'check-background-jobs': [['--strict'], /^2 background jobs, 1 schedule: nothing wrong\.\n$/],
    'list-background-jobs': [['--sort', 'next'], /\ngreet +0 2 \* \* \* .*\["Ada"\] .*\nfail .*\n/],
    'show-background-job': [['Greet'], /^\ngreet\n[\s\S]*^Last runs$/m],
    'preview-background-jobs': [['--to', '+24h'], /\n1 slot of 1 background job from /],
    'run-background-job': [['greet', '--arguments', '["Bob"]'], /^hello Bob\n.* succeeded greet \(.*\)\n$/],
    'run-background-jobs': [['--at', '2026-11-25 02:00'], /^hello Ada\n[\s\S]*\n1 run: 1 succeeded\n$/],
    'pause-background-job': [['greet'], /^paused greet\n$/],
    'resume-background-job': [['--all'], /^resumed all background jobs\n$/],
    'generate-background-job': [
        ['--name', 'my-task', '--schedule', '0 2 * * *'],
        /^created lib\/background_jobs\/my_task\.js\n/,
    ],
};

/** What fails, and what is understood by nobody: the framework's own binary has one code for both. */
const BAD: Record<string, Call> = {
    'list-background-jobs': [['--sort', 'x'], /sort/, 'usage'],
    'show-background-job': [['gret'], /^There is no background job "gret" \(did you mean "greet"\?\)\.\n$/],
    'preview-background-jobs': [['--from', 'soon'], /^--from "soon" is not a time: /, 'usage'],
    'run-background-job': [['fail'], / failed fail .*\n {4}Error: no paper\n/],
    'run-background-jobs': [['--at', '1767225600000'], /milliseconds/, 'usage'],
    'pause-background-job': [['gret'], /^There is no background job "gret"/],
    'resume-background-job': [['gret'], /^There is no background job "gret"/],
    'generate-background-job': [['x', '--schedule', '61 * * * *'], /^--schedule "61 .*\(0-59\)\n$/, 'usage'],
    'start-server': [['--host', 'nonsense'], /host: "nonsense" is not a host and port, like /, 'usage'],
};

/** More of what is understood by nobody, with the exit code. */
const REFUSED: [line: string, code: number, said: RegExp][] = [
    ['show-background-job', 2, /name: Must not be blank/],
    ['show-background-job x --runs -1', 2, /runs/],
    ['preview-background-jobs --to -1h', 1, /^--to "-1h" is not after now/],
    ['preview-background-jobs --name gre', 1, /^There is no background job "gre"/],
    ['preview-background-jobs --from 1767225600000', 2, /milliseconds/],
    ['list-background-jobs --next 0', 2, /next/],
    ['list-background-jobs --timezone Europe/Lundun', 2, /did you mean "Europe\/London"/],
    ['run-background-job', 2, /name: Must not be blank/],
    ['pause-background-job greet --until soon', 2, /^--until "soon" is not a time: /],
];

test('what is understood by nobody is refused', async () => {
    const { call } = await makeApp(backgroundJobs(JOBS));
    for (const [line, expected, said] of REFUSED) {
        const { code, stdout, stderr } = await call(line.split(' '));
        assert.deepEqual([code, stdout], [expected, ''], line);
        assert.match(stderr, said);
    }
});

describe('as processes', { concurrency: 3 }, () => {
    // In this process they are those of pinstripe-bot.
    describe('pinstripe', () => {
        let app: InstalledApp;
        before(async () => {
            app = await makeApp(backgroundJobs(JOBS));
        });

        for (const [command, [words, printed]] of Object.entries(GOOD))
            test(`${command} does what it is asked, and exits with 0`, async () => {
                const { code, stdout, stderr } = await app.run('pinstripe', [command, ...words]);
                assert.deepEqual([code, stderr], [0, '']);
                assert.match(stdout, printed);
            });
    });

    for (const binary of BINARIES) {
        describe(binary, () => {
            let app: InstalledApp;
            before(async () => {
                app = await makeApp(backgroundJobs(JOBS));
            });

            for (const [command, [words, printed, fault]] of Object.entries(BAD)) {
                test(`${command} says what is wrong, and exits with ${fault ? BAD_OPTION[binary] : 1}`, async () => {
                    const { code, stdout, stderr } = await app.run(binary, [command, ...words]);
                    assert.deepEqual([code, stdout], [fault ? BAD_OPTION[binary] : 1, '']);
                    assert.match(stderr, printed);
                });
            }

            test('check-background-jobs finds what is wrong, and exits with 1', async () => {
                const { root, run } = await makeApp(backgroundJobs(BAD_JOBS));
                const { code, stdout, stderr } = await run(binary, ['check-background-jobs', '--json']);
                assert.deepEqual([code, stderr], [1, '']);
                const [{ rule, file, line }] = JSON.parse(stdout).findings;
                assert.deepEqual(
                    [rule, file, line],
                    ['bad-crontab', `${root}/lib/background_jobs/sweep.js`, 1],
                );
            });

            for (const words of [['start-bot'], ['start-server', '--host', '127.0.0.1:0']])
                test(`${words[0]} says what is wrong with its config, and exits with 1`, async () => {
                    const config = { 'pinstripe.config.js': "export default { bot: { tiemzone: 'UTC' } };" };
                    const { run } = await makeApp({ ...backgroundJobs(JOBS), ...config });
                    const { code, stdout, stderr } = await run(binary, words);
                    assert.deepEqual([code, stdout], [1, '']);
                    assert.match(
                        stderr,
                        /pinstripe\.config\.js: unknown key `bot\.tiemzone` \(did you mean "timezone"\?\)/,
                    );
                });
        });
    }
});
