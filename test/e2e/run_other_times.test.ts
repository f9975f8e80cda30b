import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';
import { assertShape } from '../support/json_schema.js';

const JOBS = backgroundJobs({
    daily: `
        import { existsSync } from 'node:fs';
        import { setTimeout } from 'node:timers/promises';
        export default {
            meta(){ this.schedule('0 2 * * *'); },
            async run(){
                const { scheduledAt } = this.currentRun;
                console.log('day ' + new Date(scheduledAt * 1000).toISOString().slice(0, 10));
                if(!existsSync('quick') && scheduledAt > 1767319200) await setTimeout(60000, undefined, { signal: this.signal });
            }
        };`,
});

const BACKFILL = ['run-background-job', 'daily', '--from', '2026-01-01', '--to', '2026-01-05'];

test('run-background-job --in records a run, says when it starts, and ends at once', async () => {
    const app = await makeApp(JOBS);
    const words = ['run-background-job', 'daily', '--arguments', '["a"]', '--in', '10m'];
    const { code, stdout, stderr } = await app.run('pinstripe-bot', words);
    assert.deepEqual([code, stderr], [0, '']);
    const [, id] =
        /^recorded daily, run ([\w-]+): it starts at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(stdout) ?? [];
    const { job } = JSON.parse((await app.call(['show-background-job', 'daily', '--json'])).stdout);
    assert.deepEqual(
        job.waiting.map((run: { id: string; args: unknown }) => [run.id, run.args]),
        [[id, ['a']]],
    );
    const json = JSON.parse((await app.call([...words, '--json'])).stdout);
    assertShape('enqueued', json);
});

describe('run-background-job --from', { concurrency: 2 }, () => {
    test('stops at Ctrl-C, and says how to go on, which does the rest', async () => {
        const app = await makeApp(JOBS);
        const missing = [...BACKFILL, '--only-missing', '--arguments', `["it's", 7]`];
        const process = app.start('pinstripe-bot', missing);
        await process.printed(/^day 2026-01-03$/m);
        process.signal('SIGINT');
        const { code, stdout, stderr } = await process.ended();
        assert.equal(code, 130);
        assert.match(stdout, /^4 slots of daily from 2026-01-01 02:00:00 to 2026-01-04 02:00:00\n/);
        assert.match(stdout, /^4 runs: 2 succeeded, 1 aborted \(daily\), 1 skipped \(daily\)$/m);
        const [, words = ''] =
            /^Stopped at the slot 2026-01-03 02:00:00\. To go on:\n {2}npx pinstripe-bot (.*)$/m.exec(
                stderr,
            ) ?? [];
        assert.match(
            words,
            /--from 2026-01-03T02:00:00Z --to 2026-01-05T00:00:00Z --only-missing --arguments /,
        );
        await app.write({ quick: '' });
        const pasted = execFileSync('sh', ['-c', `printf '%s\\n' ${words}`], { encoding: 'utf8' });
        const rest = await app.call(pasted.trimEnd().split('\n'));
        assert.deepEqual([rest.code, rest.stderr], [0, '']);
        assert.match(rest.stdout, /^2 runs: 2 succeeded$/m);
        const again = await app.call(missing);
        assert.deepEqual(
            [again.code, again.stdout],
            [
                0,
                'All 4 runs have succeeded from 2026-01-01T00:00:00Z to 2026-01-05T00:00:00Z: nothing to do.\n',
            ],
        );
    });

    test('says what it would do, and does nothing, with --dry-run, and without --yes for very much', async () => {
        const { call } = await makeApp({
            ...JOBS,
            quick: '',
            ...backgroundJobs({
                often: `export default { meta(){ this.schedule('* * * * *'); }, run(){ console.log('ran'); } };`,
            }),
        });
        const dry = await call([...BACKFILL, '--dry-run']);
        assert.deepEqual(
            [dry.code, dry.stdout],
            [0, '4 slots of daily from 2026-01-01 02:00:00 to 2026-01-04 02:00:00\n'],
        );
        const json = JSON.parse((await call([...BACKFILL, '--dry-run', '--json'])).stdout);
        assert.deepEqual(
            json.runs.map((run: { scheduledAt: string; outcome: unknown }) => [
                run.scheduledAt.slice(8, 10),
                run.outcome,
            ]),
            [
                ['01', null],
                ['02', null],
                ['03', null],
                ['04', null],
            ],
        );
        const much = await call([
            'run-background-job',
            'often',
            '--from',
            '2026-01-01',
            '--to',
            '2026-01-02',
        ]);
        assert.deepEqual(
            [much.code, much.stderr],
            [1, 'Those are more than 1,000 slots: add --yes to run them.\n'],
        );
        assert.doesNotMatch(much.stdout, /ran/);
    });

    const refused: [words: string[], said: RegExp][] = [
        [['--from', 'soon'], /^--from "soon" is not a time/],
        [['--from', '2026-01-02', '--to', '2026-01-01'], /^--from is not before --to\.$/m],
        [['--from', '2026-01-01', '--to', '2999-01-01'], /^--to is in the future/],
        [['--from', '2026-01-01', '--at', '2026-01-01'], /from: It excludes --at and --in/],
        [['--to', '2026-01-01'], /to: It needs --from/],
        [['--dry-run'], /It needs --from/],
        [['--in', '5m', '--force'], /in: It excludes --at and --force/],
    ];
    test('refuses what nobody can mean', async () => {
        const { call } = await makeApp(JOBS);
        for (const [words, said] of refused) {
            const { code, stdout, stderr } = await call(['run-background-job', 'daily', ...words]);
            assert.deepEqual([code, stdout], [2, ''], words.join(' '));
            assert.match(stderr, said);
        }
    });
});
