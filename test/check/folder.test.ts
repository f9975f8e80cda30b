import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { folderFinding } from '../../lib/check/folder.js';
import { makeFolder } from '../support/app_folder.js';

const REGISTRY = import.meta.resolve('../../lib/jobs/background_job.js');
const OURS = { '_file_importer.js': `export { BackgroundJob as default } from '${REGISTRY}';` };
const FOREIGN = { '_file_importer.js': 'export default class {}' };
const JOB = { 'reports/daily.js': 'export default { run(){} };' };

const apps: readonly [what: string, files: Record<string, string>, known: string[], found?: string[]][] = [
    [
        'is right with its importer and its jobs, broken ones included',
        { ...OURS, ...JOB },
        ['reports/daily.js'],
    ],
    ['may be missing', {}, []],
    ['may hold other things without an importer', { 'README.md': '', 'a.test.js': '', 'types.d.ts': '' }, []],
    ['needs an importer for its files', JOB, [], ['no-file-importer', '']],
    ['needs an importer for TypeScript, too', { 'daily.ts': '' }, [], ['no-file-importer', '']],
    [
        'needs an importer that hands on the registry of background jobs',
        { ...FOREIGN, ...JOB },
        [],
        ['foreign-file-importer', '_file_importer.js'],
    ],
    ['has to be imported by the app', { ...OURS, ...JOB }, [], ['files-not-imported', '']],
];

describe('the folder of the job files', () => {
    for (const [what, files, known, expected] of apps) {
        test(what, async () => {
            const { root, write } = await makeFolder();
            const folder = join(root, 'lib', 'background_jobs');
            await write(
                Object.fromEntries(
                    Object.entries(files).map(([name, text]) => [`lib/background_jobs/${name}`, text]),
                ),
            );
            const jobs = known.map((name) => ({ file: join(folder, name) }));
            const finding = await folderFinding(root, jobs);
            const [rule, file = ''] = expected ?? [];
            assert.deepEqual(
                finding && [finding.severity, finding.rule, finding.file],
                rule && ['error', rule, join(folder, file)],
            );
        });
    }
});
