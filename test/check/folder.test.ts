import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { folderFindings } from '../../lib/check/folder.js';

const PATH = '/app/lib/background_jobs';
const IMPORTER = `${PATH}/_file_importer.js`;
const JOB = `${PATH}/reports/daily.js`;

const found = (files: string[], isOurs: boolean | undefined, known: string[] = []) =>
    folderFindings({ path: PATH, files, isOurs }, new Set(known)).map(({ severity, rule, file }) => [
        severity,
        rule,
        file,
    ]);

describe('the folder of the job files', () => {
    test('is right with its importer and its jobs, broken ones included', () => {
        assert.deepEqual(found([IMPORTER, JOB], true, [JOB]), []);
    });

    test('may be empty, or hold other things, without an importer', () => {
        assert.deepEqual(found([], undefined), []);
        assert.deepEqual(
            found([`${PATH}/README.md`, `${PATH}/a.test.js`, `${PATH}/types.d.ts`], undefined),
            [],
        );
    });

    test('needs an importer for its files', () => {
        assert.deepEqual(found([JOB], undefined), [['error', 'no-file-importer', PATH]]);
        assert.deepEqual(found([`${PATH}/daily.ts`], undefined), [['error', 'no-file-importer', PATH]]);
    });

    test('needs an importer that hands on the registry of background jobs', () => {
        assert.deepEqual(found([IMPORTER, JOB], false), [['error', 'foreign-file-importer', IMPORTER]]);
    });

    test('has to be imported by the app', () => {
        assert.deepEqual(found([IMPORTER, JOB], true), [['error', 'files-not-imported', PATH]]);
    });
});
