import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { backgroundJobs, type InstalledApp, makeApp } from '../support/installed_app.js';

const JOBS = backgroundJobs({
    early: `export default {
        meta(){ this.schedule('0 2 * * *', 'a'); },
        run(scope){ console.log('early ' + scope + ' ' + this.currentRun.scheduledAt); }
    };`,
    late: `export default {
        meta(){ this.schedule('0 2 * * *'); this.schedule('30 2 * * *'); },
        run(){ throw new Error('no paper'); }
    };`,
});
const SLOT = Date.parse('2026-11-25T02:00:00Z') / 1000;

describe('run-background-jobs', () => {
    let app: InstalledApp;
    const runAt = (...words: string[]) => app.call(['run-background-jobs', ...words]);

    before(async () => {
        app = await makeApp(JOBS);
    });

    test('runs all that is due at a second, in order, with a line for each and a summary', async () => {
        const { code, stdout, stderr } = await runAt('--at', '2026-11-25 02:00');
        assert.equal(code, 1);
        assert.match(
            stdout,
            new RegExp(
                `^early a ${SLOT}\n.* succeeded early \\(.*\\)\n2 runs: 1 succeeded, 1 failed \\(late\\)\n$`,
            ),
        );
        assert.match(stderr, /^.* failed late .*\n {4}Error: no paper\n/);
    });

    test('says that nothing is due, and when something is', async () => {
        const { code, stdout, stderr } = await runAt(String(SLOT + 1));
        assert.deepEqual(
            [code, stdout, stderr],
            [0, 'Nothing is due at 2026-11-25 02:00:01: the next slot is 2026-11-25 02:30:00.\n', ''],
        );
    });

    test('prints JSON alone on stdout', async () => {
        const { code, stdout, stderr } = await runAt('--json', '--at', '2026-11-25T02:00:00Z');
        assert.equal(code, 1);
        assert.match(stderr, /^early a/);
        const { version, at, next, runs } = JSON.parse(stdout);
        assert.deepEqual([version, at, next], [1, '2026-11-25T02:00:00Z', '2026-11-25T02:30:00Z']);
        assert.deepEqual(
            runs.map(({ job, outcome, scheduledAt }: Record<string, unknown>) => [job, outcome, scheduledAt]),
            [
                ['early', 'succeeded', '2026-11-25T02:00:00Z'],
                ['late', 'failed', '2026-11-25T02:00:00Z'],
            ],
        );
    });

    test('says that there are no schedules in an app without jobs', async () => {
        const { call } = await makeApp();
        const { code, stdout } = await call(['run-background-jobs', '2026-11-25']);
        assert.deepEqual(
            [code, stdout],
            [0, 'Nothing is due at 2026-11-25 00:00:00: there are no schedules.\n'],
        );
    });
});
