import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Database } from '../../lib/engines/embedded/database.js';
import { backgroundJobs, type InstalledApp, makeApp } from '../support/installed_app.js';

const JOBS = backgroundJobs({ greet: "export default { run(){ console.log('ran'); } };" });

/** What every command says that had to give up. */
const REFUSAL = 'Another process keeps the journal locked: nothing was run, and nothing was changed.\n';

/** Locks an app's journal, as somebody does who looks at it with another program. */
function lock({ root }: InstalledApp): Database {
    const database = new Database(join(root, 'bot_development.db'));
    database.exec('PRAGMA journal_mode = DELETE');
    database.exec('BEGIN EXCLUSIVE');
    return database;
}

describe('a command whose journal another process has locked', { concurrency: true }, () => {
    for (const [signal, code, sentence] of [
        ['SIGINT', 130, /^Interrupted: nothing is running\. /m],
        ['SIGTERM', 143, /^Told to end: nothing is running\. /m],
    ] as const) {
        test(`ends by ${signal} with ${code}, and runs nothing`, async () => {
            const app = await makeApp(JOBS);
            const holder = lock(app);
            const command = app.start('pinstripe-bot', ['run-background-job', 'greet']);
            await command.printed(/another process keeps it locked/);
            const ended = await command.ended(signal);
            holder.close();
            assert.deepEqual([ended.code, ended.stdout], [code, '']);
            assert.match(ended.stderr, sentence);
            assert.ok(ended.stderr.endsWith(REFUSAL));
        });
    }

    test('gives up in the end', async () => {
        const app = await makeApp(JOBS);
        const holder = lock(app);
        const lines = [
            'run-background-job greet',
            'pause-background-job greet',
            'resume-background-job --all',
        ];
        const ends = await Promise.all(lines.map((line) => app.run('pinstripe', line.split(' '))));
        holder.close();
        for (const { code, stdout, stderr } of ends) {
            assert.deepEqual([code, stdout], [1, '']);
            assert.ok(stderr.endsWith(REFUSAL), stderr);
        }
    });
});

describe('what a command leaves to others', () => {
    const journal = (value: string) => ({
        'pinstripe.config.js': `export default { bot: { journal: ${value} } };`,
    });
    const inMemory = /^Nothing was (?:changed|recorded): the journal is kept in memory here, .*\n$/;
    const unwritable =
        /\nThe journal missing\/bot\.db cannot be written, and nothing is done without it\.\n$/;
    for (const [where, files, env, refusal] of [
        ['under NODE_ENV=test', {}, { NODE_ENV: 'test' }, inMemory],
        ['under journal: false', journal('false'), {}, inMemory],
        ['where the journal cannot be written', journal("{ filename: 'missing/bot.db' }"), {}, unwritable],
    ] as const) {
        test(`is refused ${where}: it would end with the command`, async () => {
            const app = await makeApp({ ...JOBS, ...files });
            for (const words of [
                ['pause-background-job', 'greet'],
                ['resume-background-job', '--all'],
                ['run-background-job', 'greet', '--in', '10m'],
            ]) {
                const { code, stdout, stderr } = await app.call(words, { env });
                assert.deepEqual([code, stdout], [1, '']);
                assert.match(stderr, refusal);
            }
        });
    }
});
