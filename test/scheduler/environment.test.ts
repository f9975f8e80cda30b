import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { openApp } from '../support/fixture_app.js';

await openApp();
const { Bot } = await import('../../lib/scheduler/bot.js');

afterEach(() => {
    process.env['NODE_ENV'] = 'test';
});

describe('the environment of a bot', () => {
    const cases: [what: string, variable: string | undefined, expected: string][] = [
        ['is NODE_ENV', 'staging', 'staging'],
        ['is development without NODE_ENV', undefined, 'development'],
        ['is development where NODE_ENV is empty', '', 'development'],
    ];
    for (const [what, variable, expected] of cases) {
        test(what, async () => {
            if (variable === undefined) delete process.env['NODE_ENV'];
            else process.env['NODE_ENV'] = variable;
            assert.equal((await new Bot().survey()).environment, expected);
        });
    }
});
