import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { openApp } from './support/fixture_app.js';

await openApp({
    'pinstripe.config.js': `
        export default {
            database: { adapter: 'sqlite' },
            bot: { timezone: 'Europe/London', concurrency: 2, turn: '5s', stopTimeout: '1m', log: 'json' }
        };
    `,
});
const { DEFAULT_JOURNAL } = await import('../lib/journal_settings.js');
const { ConfigError, DEFAULT_CONFIG, loadConfig, parseConfig } = await import('../lib/config.js');

describe('parseConfig', () => {
    test('has a default for every key', () => {
        const defaults = {
            enabled: true,
            timezone: undefined,
            concurrency: 1,
            turn: 30_000,
            stopTimeout: 25_000,
            log: 'pretty',
            engine: 'embedded',
            journal: DEFAULT_JOURNAL,
        };
        assert.deepEqual(parseConfig(undefined), defaults);
        assert.deepEqual(parseConfig({}), defaults);
        assert.deepEqual(parseConfig(true), defaults);
        assert.deepEqual(DEFAULT_CONFIG, defaults);
    });

    test('takes `bot: false` for no bot', () => {
        assert.deepEqual(parseConfig(false), { ...DEFAULT_CONFIG, enabled: false });
    });

    const good: [string, unknown, unknown][] = [
        ['timezone', 'America/New_York', 'America/New_York'],
        ['concurrency', 8, 8],
        ['turn', '500ms', 500],
        ['stopTimeout', '0s', 0],
        ['log', 'json', 'json'],
        ['log', 'silent', 'silent'],
        ['log', 'pretty', 'pretty'],
        ['turn', undefined, 30_000],
    ];
    for (const [key, value, expected] of good) {
        test(`reads ${key}: ${value}`, () => {
            assert.deepEqual(parseConfig({ [key]: value }), { ...DEFAULT_CONFIG, [key]: expected });
        });
    }

    const bad: [string, unknown, RegExp][] = [
        ['timezone', 'Europe/Londn', /did you mean "Europe\/London"/],
        ['timezone', 0, /IANA name/],
        ['concurrency', 0, /`bot\.concurrency`, 0, is not a whole number from 1 up/],
        ['concurrency', '2', /`bot\.concurrency`, "2", is not a whole number/],
        ['concurrency', 1.5, /whole number/],
        ['concurrency', 2n, /whole number/],
        ['turn', 30, /`bot\.turn`, 30, is not a duration.*'30s'/],
        ['stopTimeout', null, /`bot\.stopTimeout`, null, is not a duration/],
        ['log', 'none', /`bot\.log`, "none", is none of 'pretty', 'json', 'silent'/],
    ];
    for (const [key, value, message] of bad) {
        test(`refuses ${key}: ${typeof value} ${value}`, () => {
            assert.throws(
                () => parseConfig({ [key]: value }),
                (error) => {
                    assert.ok(error instanceof ConfigError);
                    assert.match(error.message, /^pinstripe\.config\.js: /);
                    assert.match(error.message, message);
                    return true;
                },
            );
        });
    }

    test('refuses an unknown key and names the nearest one, and all there are', () => {
        assert.throws(() => parseConfig({ concurency: 2 }), {
            name: 'ConfigError',
            message:
                'pinstripe.config.js: unknown key `bot.concurency` (did you mean "concurrency"?). ' +
                'Known: timezone, concurrency, turn, stopTimeout, log, engine, journal.',
        });
        assert.throws(() => parseConfig({ enabled: false }), /unknown key `bot\.enabled`\. Known/);
    });

    for (const section of [null, 'on', 1, [], () => ({})]) {
        test(`refuses a section that is ${JSON.stringify(section) ?? 'a function'}`, () => {
            assert.throws(() => parseConfig(section), /`bot` is not an object: write `bot: \{ \.\.\. \}`/);
        });
    }

    test('nothing but a ConfigError comes out of anything', () => {
        const section = fc.oneof(
            fc.anything({ withBigInt: true }),
            fc.record(
                {
                    timezone: fc.anything(),
                    concurrency: fc.anything({ withBigInt: true }),
                    turn: fc.anything(),
                    stopTimeout: fc.anything(),
                    log: fc.anything(),
                },
                { requiredKeys: [] },
            ),
        );
        fc.assert(
            fc.property(section, (value) => {
                try {
                    parseConfig(value);
                } catch (error) {
                    assert.ok(error instanceof ConfigError, String(error));
                }
            }),
        );
    });
});

describe('loadConfig', () => {
    test("reads the `bot` section of the app's pinstripe.config.js", async () => {
        assert.deepEqual(await loadConfig(), {
            enabled: true,
            timezone: 'Europe/London',
            concurrency: 2,
            turn: 5_000,
            stopTimeout: 60_000,
            log: 'json',
            engine: 'embedded',
            journal: DEFAULT_JOURNAL,
        });
    });
});
