import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Database } from '../../../lib/engines/embedded/database.js';
import {
    Journal,
    type JournalParts,
    type JournalTrouble,
    JournalUnavailableError,
} from '../../../lib/engines/embedded/journal.js';
import { VERSION } from '../../../lib/engines/embedded/schema.js';

let folder: string;
let path: string;
let told: [JournalTrouble, string][];
let restored: number;
const open_: Journal[] = [];

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pinstripe-bot-journal-'));
    path = join(folder, 'bot.db');
    told = [];
    restored = 0;
});

afterEach(async () => {
    for (const journal of open_.splice(0)) await journal.close();
    await rm(folder, { recursive: true, force: true });
});

async function openJournal(
    parts: Partial<Pick<JournalParts, 'path' | 'required' | 'patience'>> = {},
): Promise<Journal> {
    const journal = await Journal.open({
        path,
        required: false,
        trouble: (trouble, detail) => told.push([trouble, detail]),
        restore: () => {
            restored += 1;
        },
        ...parts,
    });
    open_.push(journal);
    return journal;
}

function troubles(): JournalTrouble[] {
    return told.map(([trouble]) => trouble);
}

const LONG = 'x'.repeat(3_000);

// Something that every version has and that grows.
function pause(database: Database, job: string): void {
    database.statement('INSERT INTO pauses (job, paused_at) VALUES (?, 0)').run([job]);
}

function pauses(database: Database): number {
    return database.statement('SELECT count(*) AS count FROM pauses').get([])?.['count'] as number;
}

describe('a journal', () => {
    test('remembers across openings, and makes its file in WAL mode', async () => {
        await (await openJournal()).write((database) => pause(database, 'a'));
        const again = await openJournal();
        assert.equal(again.write(pauses), 1);
        assert.equal(again.isInMemory, false);
        assert.deepEqual(
            again.write((database) => database.statement('PRAGMA journal_mode').get([])?.['journal_mode']),
            'wal',
        );
        assert.deepEqual(told, []);
    });

    test('without a file is in memory, each for itself', async () => {
        const [one, other] = [await openJournal({ path: undefined }), await openJournal({ path: undefined })];
        one.write((database) => pause(database, 'a'));
        assert.equal(one.write(pauses), 1);
        assert.equal(other.write(pauses), 0);
        assert.equal(one.isInMemory, true);
        assert.deepEqual(await readdir(folder), []);
    });

    test('undoes what a failing transaction has done', async () => {
        const journal = await openJournal();
        assert.throws(
            () =>
                journal.write((database) => {
                    pause(database, 'a');
                    pause(database, 'a');
                }),
            JournalUnavailableError,
        );
        assert.equal(journal.write(pauses), 0);
        assert.deepEqual(troubles(), ['failed']);
    });
});

describe('a journal that another process has locked', () => {
    test('is tried until it is free, without holding up the event loop, and says so once', async () => {
        const journal = await openJournal();
        const other = await Database.open(path);
        other.exec('BEGIN IMMEDIATE');
        let turns = 0;
        const watch = setInterval(() => {
            turns += 1;
        }, 5);
        const written = journal.write((database) => pause(database, 'a'));
        const counted = journal.write(pauses);
        assert.ok(written instanceof Promise);
        while (troubles().length === 0) await delay(20);
        assert.deepEqual(troubles(), ['locked']);
        other.exec('COMMIT');
        other.close();
        await written;
        await counted;
        clearInterval(watch);
        assert.equal(journal.write(pauses), 1);
        assert.equal(journal.isInMemory, false);
        assert.ok(turns > 10, `the event loop turned ${turns} times`);
    });

    test('is given up by who has no more patience, or is interrupted, and what was wanted is not done later', async () => {
        const journal = await openJournal();
        const other = Database.open(path);
        other.exec('BEGIN IMMEDIATE');
        const locked = { name: 'JournalLockedError' };
        const controller = new AbortController();
        const patient = { longest: Infinity, signal: controller.signal };
        const writing = journal.write((database) => pause(database, 'a'), patient) as Promise<void>;
        const trying = journal.tryWrite(pauses, 0, patient) as Promise<number>;
        controller.abort();
        await assert.rejects(writing, locked);
        await assert.rejects(trying, locked);
        await assert.rejects(journal.write(pauses, { longest: 0 }) as Promise<number>, locked);
        await assert.rejects(openJournal({ patience: { longest: 0 } }), locked);
        other.exec('COMMIT');
        other.close();
        await journal.write(() => {});
        assert.equal(await journal.write(pauses), 0);
    });

    test('while it is opened is waited for', async () => {
        await openJournal();
        const other = await Database.open(path);
        other.exec('BEGIN IMMEDIATE');
        setTimeout(() => other.exec('COMMIT'), 300);
        const journal = await openJournal();
        assert.equal(journal.isInMemory, false);
        other.close();
    });
});

describe('a journal that cannot be written', () => {
    test('goes on in memory, and says so', async () => {
        await writeFile(join(folder, 'file'), '');
        const journal = await openJournal({ path: join(folder, 'file', 'bot.db') });
        journal.write((database) => pause(database, 'a'));
        assert.equal(journal.write(pauses), 1);
        assert.equal(journal.isInMemory, true);
        assert.deepEqual(troubles(), ['unwritable']);
    });

    test('is not opened where it is required', async () => {
        await writeFile(join(folder, 'file'), '');
        await assert.rejects(
            openJournal({ path: join(folder, 'file', 'bot.db'), required: true }),
            /file\/bot\.db cannot be written, and bot\.journal\.required is true/,
        );
    });

    test('because the disk is full goes on in memory from there, and what must be known is known there', async () => {
        const journal = await openJournal();
        fill(journal);
        journal.write((database) => pause(database, 'late'));
        assert.equal(journal.isInMemory, true);
        assert.equal(restored, 1);
        // What found the disk full was not lost either.
        assert.equal(journal.write(pauses), 2);
        assert.deepEqual(troubles(), ['unwritable']);
    });

    test('because the disk is full records nothing where it is required, until there is room', async () => {
        const journal = await openJournal({ required: true });
        const before = fill(journal);
        for (let attempt = 0; attempt < 3; attempt++)
            assert.throws(
                () => journal.write((database) => pause(database, `late ${attempt} ${LONG}`)),
                JournalUnavailableError,
            );
        assert.deepEqual(troubles(), ['required']);
        journal.write((database) => database.exec('PRAGMA max_page_count = 100000'));
        journal.write((database) => pause(database, 'late'));
        assert.equal(journal.write(pauses), before + 1);
    });
});

describe('a corrupt journal', () => {
    test('is set aside, not deleted, and a new one begun', async () => {
        const garbage = 'no database at all '.repeat(500);
        await writeFile(path, garbage);
        const journal = await openJournal();
        assert.equal(journal.write(pauses), 0);
        assert.equal(journal.isInMemory, false);
        assert.deepEqual(troubles(), ['set aside']);
        assert.equal(await readFile(told[0]?.[1] ?? '', 'utf8'), garbage);
    });

    test('that another process holds open is left alone, and nothing is recorded until that has gone', async () => {
        const holder = await openJournal();
        await corrupt();
        const journal = await openJournal();
        assert.throws(() => journal.write(pauses), JournalUnavailableError);
        assert.deepEqual(troubles(), ['corrupt']);
        assert.deepEqual(
            (await readdir(folder)).filter((name) => name.includes('corrupt')),
            [],
        );
        await holder.close();
        while (!isUsable(journal)) await delay(100);
        assert.equal(journal.write(pauses), 0);
        assert.deepEqual(troubles(), ['corrupt', 'set aside']);
    });

    test('is set aside by one of several that find it at the same moment', async () => {
        await writeFile(path, 'garbage '.repeat(1000));
        const journals = await Promise.all([openJournal(), openJournal(), openJournal()]);
        journals[0]?.write((database) => pause(database, 'a'));
        for (const journal of journals) assert.equal(journal.write(pauses), 1);
        assert.deepEqual(troubles(), ['set aside']);
    });
});

describe('a journal of a newer release', () => {
    test('with the same major version is used, and left as it is', async () => {
        await (await openJournal()).close();
        await setVersion(VERSION + 5);
        const journal = await openJournal();
        journal.write((database) => pause(database, 'a'));
        assert.equal(
            journal.write(({ version }) => version),
            VERSION + 5,
        );
        assert.deepEqual(troubles(), ['newer']);
    });

    test('with another major version is left alone', async () => {
        await (await openJournal()).close();
        await setVersion(VERSION + 1000);
        const journal = await openJournal();
        assert.throws(() => journal.write(pauses), JournalUnavailableError);
        assert.deepEqual(troubles(), ['too new']);
    });
});

// A limit on pages fails as a full disk does. Returns how many pauses found room.
function fill(journal: Journal): number {
    const pages = journal.write(
        (database) => database.statement('PRAGMA page_count').get([])?.['page_count'] as number,
    );
    journal.write((database) => database.exec(`PRAGMA max_page_count = ${pages}`));
    for (let written = 0; ; written++) {
        try {
            journal.write((database) => pause(database, `${written} ${LONG}`));
        } catch {
            return written;
        }
        if (journal.isInMemory) return written;
    }
}

async function corrupt(): Promise<void> {
    // As long as a page is in the log, nobody reads it from the file.
    const database = await Database.open(path);
    database.statement('PRAGMA wal_checkpoint(TRUNCATE)').get([]);
    database.close();
    const file = await open(path, 'r+');
    await file.write('garbage'.repeat(20), 0);
    await file.close();
}

function isUsable(journal: Journal): boolean {
    try {
        return journal.write(pauses) === 0;
    } catch {
        return false;
    }
}

async function setVersion(version: number): Promise<void> {
    const database = await Database.open(path);
    database.version = version;
    database.close();
}
