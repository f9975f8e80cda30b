import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { openApp } from '../support/fixture_app.js';

await openApp({
    'pinstripe.config.js': `
        export default {
            database: { adapter: 'sqlite' },
            bot: { timezone: 'Europe/London', concurrency: 2, turn: '5s', stopTimeout: '1m', log: 'json' }
        };
    `,
});
const { DEFAULT_DASHBOARD } = await import('../../lib/config/dashboard_settings.js');
const { ConfigError, DEFAULT_CONFIG, DEFAULT_JOURNAL, loadConfig, parseConfig } = await import(
    '../../lib/config/config.js'
);

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
            redis: undefined,
            redisPrefix: undefined,
            role: 'both',
            output: true,
            outputKept: 1_000,
            dashboard: DEFAULT_DASHBOARD,
            health: { overdue: 300_000 },
            alerts: { failing: 3, slow: 3, overdue: true },
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
        ['turn', undefined, 30_000],
        ['outputKept', 20, 20],
        ['health', false, false],
        ['health', { overdue: '1h' }, { overdue: 3_600_000 }],
        ['alerts', false, { failing: false, slow: false, overdue: false }],
        ['alerts', { failing: 5 }, { failing: 5, slow: 3, overdue: true }],
        ['alerts', { failing: false, slow: 1.5 }, { failing: false, slow: 1.5, overdue: true }],
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
        ['engine', 'bull', /`bot\.engine`, "bull", is none of 'embedded', 'bullmq'/],
        ['engine', 'bullmq', /the engine 'bullmq' needs `bot\.redis`.*redis:\/\//],
        ['redis', 'redis://127.0.0.1', /`bot\.redis` is for the engine 'bullmq': add `engine: 'bullmq'`/],
        ['redisPrefix', 'shop', /`bot\.redisPrefix` is for the engine 'bullmq'/],
        ['role', 'worker', /`bot\.role` is for the engine 'bullmq'/],
        [
            'alerts',
            true,
            /`bot\.alerts`, true, is neither false nor an object: write \{ failing: 3, slow: 3 \}/,
        ],
        ['alerts', { failing: 0 }, /has a `failing` that is neither a whole number from 1 up nor false/],
        ['alerts', { slow: 1 }, /has a `slow` that is neither a number above 1 nor false/],
        ['alerts', { faling: 1 }, /has an unknown key `faling` \(did you mean "failing"\?\)/],
        ['role', 'boss', /`bot\.role`, "boss", is none of 'both', 'scheduler', 'worker'/],
        ['journal', true, /`bot\.journal`, true, is neither false, for memory, nor an object/],
        ['journal', 'bot.db', /neither false, for memory, nor an object/],
        ['journal', { file: 'a' }, /unknown key `file`.*Known: filename, retention, maxRunsPerJob, required/],
        ['journal', { filname: 'a' }, /unknown key `filname` \(did you mean "filename"\?\)/],
        ['journal', { filename: '' }, /`filename` that is not a path/],
        ['journal', { retention: 30 }, /`retention` that is not a duration/],
        ['journal', { maxRunsPerJob: 0 }, /`maxRunsPerJob` that is not a whole number from 1 up/],
        ['journal', { required: 'yes' }, /`required` that is neither true nor false/],
    ];
    for (const [key, value, message] of bad) {
        test(`refuses ${key}: ${typeof value} ${inspect(value)}`, () =>
            assert.throws(() => parseConfig({ [key]: value }), { name: 'ConfigError', message }));
    }

    test('refuses an unknown key and names the nearest one, and all there are', () => {
        assert.throws(() => parseConfig({ concurency: 2 }), {
            name: 'ConfigError',
            message:
                'pinstripe.config.js: unknown key `bot.concurency` (did you mean "concurrency"?). ' +
                'Known: timezone, concurrency, turn, stopTimeout, log, engine, journal, redis, redisPrefix, role, output, outputKept, dashboard, health, alerts.',
        });
        assert.throws(() => parseConfig({ enabled: false }), /unknown key `bot\.enabled`\. Known/);
    });

    for (const section of [null, 'on', 1, [], () => ({})]) {
        test(`refuses a section that is ${JSON.stringify(section) ?? 'a function'}`, () => {
            assert.throws(() => parseConfig(section), /`bot` is not an object: write `bot: \{ \.\.\. \}`/);
        });
    }

    test('nothing but a ConfigError comes out of anything', () => {
        const any = fc.anything({ withBigInt: true });
        const keys = { timezone: any, concurrency: any, turn: any, stopTimeout: any, log: any };
        const section = fc.oneof(any, fc.record(keys, { requiredKeys: [] }));
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

test('the key bot.journal is false for memory, or an object whose keys have defaults', () => {
    assert.deepEqual(parseConfig({}).journal, DEFAULT_JOURNAL);
    assert.deepEqual(parseConfig({ journal: false }).journal, { ...DEFAULT_JOURNAL, filename: false });
    assert.deepEqual(parseConfig({ journal: {} }).journal, DEFAULT_JOURNAL);
    assert.deepEqual(
        parseConfig({ journal: { filename: 'a.db', retention: '2d', maxRunsPerJob: 5, required: true } })
            .journal,
        { filename: 'a.db', retention: 172_800_000, maxRunsPerJob: 5, required: true },
    );
});

describe('the keys of the engine "bullmq"', () => {
    const read = (keys: object) => parseConfig({ engine: 'bullmq', ...keys });

    test('have ten runs go at once, unless the config says otherwise', () => {
        assert.equal(read({ redis: 'redis://127.0.0.1' }).concurrency, 10);
        assert.equal(read({ redis: 'redis://127.0.0.1', concurrency: 3 }).concurrency, 3);
    });

    const places: [unknown, string][] = [
        ['redis://127.0.0.1', '127.0.0.1:6379'],
        ['rediss://user:pass@cache.example:6380/2', 'cache.example:6380/2'],
        [{ host: 'cache.example', db: 3, password: 'pass' }, 'cache.example:6379/3'],
        [{ url: 'redis://cache.example', tls: {} }, 'cache.example:6379'],
        [{ sentinels: [{ host: 'a', port: 26379 }], name: 'main' }, 'sentinel main'],
        [{ path: '/run/redis.sock' }, '/run/redis.sock'],
    ];
    for (const [redis, place] of places) {
        test(`find Redis at ${place}`, () => {
            assert.equal(read({ redis }).redis?.place, place);
        });
    }

    test('give ioredis what stands there, and what the engine needs', () => {
        const tls = { ca: 'certificate' };
        const options = read({ redis: { host: 'cache.example', tls, password: 'pass' } }).redis?.arguments({
            db: 1,
        });
        assert.deepEqual(options, [{ host: 'cache.example', tls, password: 'pass', db: 1 }]);
        assert.deepEqual(read({ redis: 'redis://:pass@cache.example' }).redis?.arguments({}), [
            'redis://:pass@cache.example',
            {},
        ]);
    });

    test('options in a URL do not win over those that the engine needs; all else of it stays', () => {
        const url = 'redis://me:s%40cret@host:6380/2?maxRetriesPerRequest=3&family=6';
        const ours = { maxRetriesPerRequest: null };
        assert.deepEqual(read({ redis: url }).redis?.arguments(ours), [
            'redis://me:s%40cret@host:6380/2?family=6',
            ours,
        ]);
        assert.deepEqual(read({ redis: { url, family: 4 } }).redis?.arguments({}), [url, { family: 4 }]);
    });

    const bad: [object, RegExp][] = [
        [{ redis: 'localhost:6379' }, /`bot\.redis`, a text, is no URL of a Redis: write 'redis:/],
        [{ redis: 'https://:hunter2@cache.example' }, /is no URL of a Redis/],
        [{ redis: 'redis//:hunter2@cache.example' }, /is no URL of a Redis/],
        [{ redis: 'redis://:hunter2@cache.example/main' }, /names a database that is no number/],
        [{ redis: 'redis://:hunter2#@cache.example' }, /has a # in its URL.*%23/],
        [{ redis: 'redis://:hunter2@cache.example?keyPrefix=x' }, /has a `keyPrefix`.*`bot\.redisPrefix`/],
        [{ redis: 6379 }, /`bot\.redis`, 6379, is neither a URL nor an object/],
        [{ redis: ['redis://:hunter2@cache.example'] }, /neither a URL nor an object/],
        [
            { redis: { password: 'hunter2', keyPrefix: 'x' } },
            /an object with password, keyPrefix.*`bot\.redisPrefix`/,
        ],
        [{ redis: { password: 'hunter2', port: 'x' } }, /has a port, "x", that is none/],
        [{ redis: 'redis://127.0.0.1', redisPrefix: 'a b' }, /`bot\.redisPrefix`, "a b", is not a prefix/],
    ];
    for (const [index, [keys, message]] of bad.entries()) {
        test(`refuse what is wrong, and show no password (${index + 1})`, () => {
            assert.throws(
                () => read(keys),
                (error) => {
                    assert.ok(error instanceof ConfigError);
                    assert.match(error.message, message);
                    assert.doesNotMatch(error.message, /hunter2/);
                    return true;
                },
            );
        });
    }

    test('show no password to whatever prints the config', () => {
        for (const redis of [
            'redis://:hunter2@cache.example',
            'redis://cache.example?password=hunter2',
            { password: 'hunter2', sentinelPassword: 'hunter2' },
        ]) {
            const config = read({ redis });
            assert.doesNotMatch(inspect(config, { depth: 9, showHidden: true }), /hunter2/);
            assert.doesNotMatch(JSON.stringify(config), /hunter2/);
            assert.equal(config.redis?.withoutSecrets('AUTH hunter2 failed'), 'AUTH … failed');
        }
    });
});

// What is no config stands in e2e/bad_input.test.ts: a process has one.
test("loadConfig reads the `bot` section of the app's pinstripe.config.js", async () => {
    assert.deepEqual(await loadConfig(), {
        ...DEFAULT_CONFIG,
        timezone: 'Europe/London',
        concurrency: 2,
        turn: 5_000,
        stopTimeout: 60_000,
        log: 'json',
    });
});
