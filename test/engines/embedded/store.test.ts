import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Database } from '../../../lib/engines/embedded/database.js';
import { HAS_OUTPUT, TABLES } from '../../../lib/engines/embedded/schema.js';
import { Store, type StoreParts } from '../../../lib/engines/embedded/store.js';
import { JournalLockedError } from '../../../lib/runs/engine.js';

let folder: string;
let path: string;
let told: string[];

beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'pinstripe-bot-journal-'));
    path = join(folder, 'bot.db');
    told = [];
});

afterEach(() => {
    fs.chmodSync(folder, 0o700);
    fs.rmSync(folder, { recursive: true });
});

const open = (parts: Partial<StoreParts> = {}) =>
    Store.open({
        owner: 'us',
        path,
        shown: 'bot.db',
        required: false,
        lockTimeout: undefined,
        tell: (trouble) => told.push(trouble),
        moved: () => {},
        ...parts,
    });

const pauseIn = (store: Store, job: string) =>
    store.write((database) => database.exec(`INSERT INTO bot_pauses (job, paused_at) VALUES ('${job}', 1)`));

const pausesIn = (store: Store) =>
    store.write((database) =>
        database
            .statement('SELECT job FROM bot_pauses ORDER BY job')
            .all([])
            .map((row) => row['job']),
    );

/** Does something with the file in a process of its own. */
const elsewhere = async (code: string) => {
    const args = [
        '--input-type=module',
        '-e',
        `import Libsql from 'libsql'; const db = new Libsql(${JSON.stringify(path)}); ${code}; db.close();`,
    ];
    await promisify(execFile)(process.execPath, args, { cwd: process.cwd() });
};

describe('a journal', () => {
    test("is nobody else's to read, whatever the umask", async () => {
        const umask = process.umask(0);
        try {
            await pauseIn(await open(), 'a');
        } finally {
            process.umask(umask);
        }
        for (const file of fs.readdirSync(folder))
            assert.equal(fs.statSync(join(folder, file)).mode & 0o777, 0o600, file);
    });

    test('of before that others could read is closed to them', async () => {
        await open();
        fs.chmodSync(path, 0o644);
        await open();
        assert.equal(fs.statSync(path).mode & 0o777, 0o600);
    });

    const broken: Record<string, () => unknown> = {
        'holds junk': () => fs.writeFileSync(path, 'x'.repeat(10_000)),
        'is half a file': async () => {
            await elsewhere(
                'db.exec("CREATE TABLE bot_runs (a TEXT); INSERT INTO bot_runs VALUES (hex(randomblob(20000)))")',
            );
            fs.truncateSync(path, 6_000);
        },
        'lacks a table': () =>
            elsewhere(
                `db.exec('CREATE TABLE bot_runs (a); PRAGMA application_id = ${0x70696e62}; PRAGMA user_version = 2000')`,
            ),
    };
    for (const [how, breakIt] of Object.entries(broken))
        test(`that ${how} is set aside, and a new one begun`, async () => {
            await breakIt();
            const store = await open();
            await pauseIn(store, 'a');
            assert.deepEqual(await pausesIn(store), ['a']);
            assert.deepEqual(told, ['set aside']);
            assert.equal(fs.readdirSync(folder).filter((name) => /\.corrupt-[\dTZ-]+$/.test(name)).length, 1);
        });

    test("is no other app's database: that is refused, and not a byte changes", async () => {
        await elsewhere(`
            db.exec('CREATE TABLE runs (id TEXT); CREATE TABLE users (id TEXT); PRAGMA user_version = 7');`);
        const before = fs.readFileSync(path);
        await assert.rejects(
            open(),
            /bot\.db is no journal, but another database \(with (runs|users).*filename/,
        );
        assert.deepEqual(fs.readFileSync(path), before);
        assert.deepEqual(fs.readdirSync(folder), ['bot.db']);
    });

    test('of a newer major version is refused', async () => {
        await elsewhere(`
            db.exec('CREATE TABLE t (id TEXT); PRAGMA application_id = ${0x70696e62}; PRAGMA user_version = 3000');`);
        await assert.rejects(open(), /newer release's \(version 3000/);
    });

    test('that is deleted is begun anew, with what must not be forgotten', async () => {
        const store = await open();
        await pauseIn(store, 'a');
        for (const name of fs.readdirSync(folder)) fs.unlinkSync(join(folder, name));
        store.check();
        assert.deepEqual(await pausesIn(store), ['a']);
        assert.deepEqual(told, ['replaced']);
        assert.ok(fs.existsSync(path));
        store.check();
        assert.deepEqual(told, ['replaced']);
    });

    test('that another file replaces is followed, and both are put together', async () => {
        const store = await open();
        await pauseIn(store, 'a');
        const other = await open({ path: join(folder, 'other.db') });
        await pauseIn(other, 'b');
        for (const suffix of ['', '-wal', '-shm'])
            if (fs.existsSync(join(folder, `other.db${suffix}`)))
                fs.renameSync(join(folder, `other.db${suffix}`), path + suffix);
        store.check();
        assert.deepEqual(await pausesIn(store), ['a', 'b']);
    });

    test('that another process is just making anew is waited for, and not left for memory', async () => {
        const store = await open();
        await pauseIn(store, 'a');
        for (const name of fs.readdirSync(folder)) fs.unlinkSync(join(folder, name));
        const other = new Database(path);
        other.exec('BEGIN EXCLUSIVE');
        store.check();
        const written = pauseIn(store, 'b');
        await setImmediate();
        other.exec('ROLLBACK');
        await written;
        assert.match(store.description, /journal bot\.db/);
        assert.deepEqual([await pausesIn(store), told], [['a', 'b'], ['replaced']]);
    });

    test('whose log another process has deleted is opened again', async () => {
        const store = await open();
        await pauseIn(store, 'a');
        // This is what makes SQLite lose its locks: a descriptor of the file is closed in this process.
        fs.readFileSync(path);
        await elsewhere(`
            db.exec("INSERT INTO bot_pauses (job, paused_at) VALUES ('b', 1)");`);
        store.check();
        await pauseIn(store, 'c');
        assert.deepEqual(await pausesIn(store), ['a', 'b', 'c']);
        await elsewhere(`
            const rows = db.prepare('SELECT job FROM bot_pauses ORDER BY job').all().map(({ job }) => job);
            if (rows.join() !== 'a,b,c') throw new Error(rows.join());`);
    });

    test('has a log that is written into it where it is long, unless somebody else uses it', async () => {
        const log = () => fs.statSync(`${path}-wal`).size;
        const store = await open();
        const write = () => pauseIn(store, 'x'.repeat(3_000_000));
        await write();
        store.shorten();
        assert.ok(log() > 3_000_000, 'a short one stays');
        await store.write((database) => database.exec('DELETE FROM bot_pauses'));
        await write();
        const other = new Database(path);
        other.exec('BEGIN IMMEDIATE');
        store.shorten();
        assert.ok(log() > 6_000_000);
        other.exec('ROLLBACK');
        store.shorten();
        assert.equal(log(), 0);
        assert.equal((await pausesIn(store)).length, 1);
    });

    test('that is locked is waited for no longer than wanted', async () => {
        const store = await open();
        const holder = new Database(path);
        holder.exec('BEGIN IMMEDIATE');
        await assert.rejects(
            store.write(() => {}, { milliseconds: 30 }),
            JournalLockedError,
        );
        const written = pauseIn(store, 'a');
        holder.exec('COMMIT');
        await written;
    });

    test('in a folder that is missing goes on in memory, unless it is required', async () => {
        const missing = join(folder, 'no', 'bot.db');
        const store = await open({ path: missing });
        await pauseIn(store, 'a');
        assert.deepEqual(await pausesIn(store), ['a']);
        assert.deepEqual(told, ['unwritable']);
        assert.match(store.description, /memory/);
        await assert.rejects(
            open({ path: missing, required: true }),
            /cannot be written, and nothing is done without it/,
        );
    });

    test('on a disk that was full has what went on meanwhile, each run once', async (t) => {
        const seqs = new Map<string, number>();
        const store = await open({
            moved: (known) => {
                for (const [id, seq] of known) seqs.set(id, seq);
            },
        });
        const insert = (id: string, origin: string, state: string, process: string) =>
            `INSERT INTO bot_runs (id, kind, state, job, args, origin, lane, holds, overlap, missed, catches_up, batch, order_at,
                position, run_at, attempt, process, host, pid)
            VALUES ('${id}', 'run', '${state}', 'a', '[]', '${origin}', '${id}', 1, 'skip', 'once', 0, 0, 0, 0, 0, 1, '${process}', '', 1)`;
        const states = (of: Store) =>
            of.write((database) =>
                database
                    .statement('SELECT id, state FROM bot_runs ORDER BY id, seq')
                    .all([])
                    .map((row) => `${row['id']} ${row['state']}`),
            );
        await store.write((database) => {
            for (const id of ['ends', 'goes on']) database.exec(insert(id, 'schedule', 'running', 'us'));
            for (const id of ['later', 'skipped', 'taken'])
                database.exec(insert(id, 'later', 'delayed', 'us'));
            database.exec(insert('of others', 'schedule', 'running', 'them'));
            database.exec(insert('awaited by others', 'waiter', 'blocked', 'them'));
            database.exec("INSERT INTO bot_pauses (job, paused_at) VALUES ('resumed', 1), ('paused', 1)");
            database.exec("INSERT INTO bot_streaks VALUES ('a', '', 2, 1, 0)");
            database.exec('PRAGMA max_page_count = 1');
        });
        await pauseIn(store, 'x'.repeat(100_000));
        assert.deepEqual(told, ['unwritable']);
        await elsewhere(
            `db.exec("UPDATE bot_runs SET state = 'running', process = 'them' WHERE id = 'taken'")`,
        );
        await store.write((database) =>
            database.exec(`UPDATE bot_runs SET state = 'succeeded', ended_at = ${Date.now()} WHERE id = 'ends';
                UPDATE bot_runs SET state = 'lost', ended_at = ${Date.now()} WHERE process = 'them';
                DELETE FROM bot_runs WHERE id = 'skipped'; DELETE FROM bot_pauses WHERE job = 'resumed';
                UPDATE bot_streaks SET failures = 3, is_told = 1`),
        );
        const { now } = performance;
        t.mock.method(performance, 'now', () => now.call(performance) + 11_000);
        assert.deepEqual(await states(store), [
            'awaited by others blocked',
            'ends succeeded',
            'goes on running',
            'later delayed',
            'of others running',
            'taken running',
        ]);
        assert.deepEqual(told, ['unwritable', 'back']);
        assert.deepEqual(
            (await pausesIn(store)).filter((job) => !/^x/.test(String(job))),
            ['paused'],
        );
        const known = await store.write((database) =>
            database
                .statement("SELECT seq, failures, is_told FROM bot_runs, bot_streaks WHERE id = 'goes on'")
                .get([]),
        );
        assert.deepEqual(
            [known?.['seq'], known?.['failures'], known?.['is_told']],
            [seqs.get('goes on'), 3, 1],
        );
    });

    /** What takes away what each version after 2000 has added. */
    const undo = [
        'ALTER TABLE bot_runs DROP COLUMN spread',
        'DROP TABLE bot_streaks',
        'ALTER TABLE bot_runs DROP COLUMN traceparent',
        'DROP INDEX bot_outputs',
        'DROP INDEX bot_keys; ALTER TABLE bot_runs DROP COLUMN key',
        'ALTER TABLE bot_processes DROP COLUMN release',
    ];
    for (const index of undo.keys())
        test(`of version ${2000 + index} gets what it lacks`, async () => {
            await open();
            await elsewhere(
                `db.exec('${undo.slice(index).reverse().join('; ')}; PRAGMA user_version = ${2000 + index}')`,
            );
            const store = await open();
            const sql = `SELECT spread, traceparent FROM bot_runs UNION SELECT failures, since FROM bot_streaks
                UNION SELECT seq, key FROM bot_runs INDEXED BY bot_outputs WHERE ${HAS_OUTPUT}
                UNION SELECT id, release FROM bot_processes WHERE id = 'nobody'`;
            assert.deepEqual(await store.write((database) => database.statement(sql).all([])), []);
            assert.deepEqual(told, []);
        });

    test('of the first edition is carried over, and stays beside it as a copy', async () => {
        const first = fs.readFileSync(
            new URL('../../../../test/support/first_edition.sql', import.meta.url),
            'utf8',
        );
        await elsewhere(`db.exec(${JSON.stringify(first)})`);
        const store = await open();
        const carried = await store.write((database) =>
            [
                'SELECT id, state FROM bot_runs ORDER BY seq',
                'SELECT reason, count FROM bot_skips',
                'SELECT handled_until FROM bot_schedules',
                'SELECT job, paused_at FROM bot_pauses',
            ].map((sql) => database.statement(sql).all([]).map(Object.values)),
        );
        assert.deepEqual(carried, [
            [
                ['one', 'succeeded'],
                ['two', 'failed'],
                ['three', 'lost'],
            ],
            [['overlap', 3]],
            [[1767225600]],
            [['reports', 1767225500000]],
        ]);
        assert.deepEqual(
            (await store.write(({ tables }) => tables)).sort(),
            [...TABLES, 'bot_streaks'].sort(),
        );
        assert.ok(fs.existsSync(`${path}.v1`));
    });
});
