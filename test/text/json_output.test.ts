import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wantsJson } from '../../lib/text/json_output.js';
import { openApp } from '../support/fixture_app.js';

await openApp();
await import('../../lib/install.js');
const { Command } = await import('../../lib/framework.js');

describe('a command line', () => {
    const cases: [line: string, isWanted: boolean][] = [
        ['list-background-jobs --json', true],
        ['listBackgroundJobs --json', true],
        ['list_background_jobs --next 2 --json true', true],
        ['show-background-job --json my-task', true],
        ['show-background-job my-task --json=true', true],
        ['list-background-jobs', false],
        ['list-background-jobs --json false', false],
        ['list-background-jobs --json=false', false],
        ['list-background-jobs --json --help', false],
        ['help list-background-jobs --json', false],
        ['start-server --json', false],
        ['--json list-background-jobs', false],
        ['', false],
    ];
    for (const [line, isWanted] of cases) {
        test(`${isWanted ? 'asks' : 'does not ask'} for our JSON: ${line || 'nothing'}`, () => {
            assert.equal(wantsJson(line.split(' ')), isWanted);
        });
    }

    test('asks for it with each of our commands that takes --json, and with no other', () => {
        for (const name of Command.names)
            assert.equal(wantsJson([name, '--json']), 'json' in Command.for(name).params, name);
    });
});
