import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { misspeltSetting, readSettings, SETTING_NAMES, type Settings } from '../../lib/jobs/settings.js';

const { settings: DEFAULTS } = readSettings({});

describe('readSettings', () => {
    test('gives each setting its default', () => {
        const { tenantsFilter, ...others } = DEFAULTS;
        assert.deepEqual(others, {
            timezone: undefined,
            multiTenant: undefined,
            overlap: 'skip',
            missed: 'once',
            missedWithin: 3_600_000,
            timeout: undefined,
            retries: 0,
            retryDelay: 10_000,
            environments: undefined,
            spread: 0,
            except: undefined,
            alerts: undefined,
            heartbeat: undefined,
            description: undefined,
        });
        const tenants = {};
        assert.equal(tenantsFilter(tenants), tenants, 'all tenants');
        assert.deepEqual(readSettings({}).complaints, []);
    });

    test('takes undefined and null for the default', () => {
        for (const nothing of [undefined, null]) {
            const declared = Object.fromEntries(SETTING_NAMES.map((name) => [name, nothing]));
            assert.deepEqual(readSettings(declared), { settings: DEFAULTS, complaints: [] });
        }
    });

    const filter = (tenants: { where(condition: object): unknown }) => tenants.where({ active: true });
    const good: [keyof Settings, unknown, unknown][] = [
        ['timezone', 'Europe/London', 'Europe/London'],
        ['multiTenant', false, false],
        ['tenantsFilter', filter, filter],
        ['overlap', 'queue', 'queue'],
        ['missed', 'all', 'all'],
        ['missedWithin', '2 days', 172_800_000],
        ['missedWithin', '0s', 0],
        ['timeout', '90s', 90_000],
        ['retries', 5, 5],
        ['environments', ['production', 'staging'], ['production', 'staging']],
        ['alerts', { failing: 5 }, { failing: 5 }],
        ['description', 'Deletes old sessions', 'Deletes old sessions'],
    ];
    for (const [name, declared, expected] of good) {
        test(`reads ${name}: ${show(declared)}`, () => {
            assert.deepEqual(readSettings({ [name]: declared }), {
                settings: { ...DEFAULTS, [name]: expected },
                complaints: [],
            });
        });
    }

    const circular: unknown[] = [];
    circular.push(circular);
    const bad: [keyof Settings, unknown, RegExp][] = [
        [
            'timezone',
            'Europe/Londn',
            /"Europe\/Londn".*is not a time zone \(did you mean "Europe\/London"\?\)/,
        ],
        ['timezone', 'Mars/Olympus_Mons', /"Mars\/Olympus_Mons".*is not a time zone.*"Europe\/London"/],
        ['timezone', '', /is not a time zone/],
        ['timezone', '+01:00', /is an offset, not a time zone/],
        ['timezone', 1, /1.*is not a time zone: write its IANA name/],
        ['multiTenant', 'true', /"true".*is neither true nor false/],
        ['multiTenant', 1, /1.*is neither true nor false/],
        ['tenantsFilter', { active: true }, /\{ active: true \}.*is not a function: write tenants =>/],
        ['overlap', 'queu', /"queu".*'skip', 'queue', 'replace', 'allow'/],
        ['missed', 'never', /"never".*'skip', 'once', 'all'/],
        ['missedWithin', 3600, /3600.*number with its unit/],
        ['timeout', '0s', /"0s".*no time to run/],
        ['timeout', 30, /30.*number with its unit/],
        ['retries', -1, /-1.*whole number from 0 up/],
        ['retries', '3', /"3".*whole number from 0 up/],
        ['retries', 3n, /3n.*whole number from 0 up/],
        ['retries', Symbol('three'), /Symbol\(three\).*whole number from 0 up/],
        ['retryDelay', 'soon', /"soon".*number with its unit/],
        ['environments', 'production', /"production".*is not a list.*\['production'\]/],
        ['environments', ['production', 1], /\[ 'production', 1 \].*is not a list/],
        ['alerts', { slow: '3' }, /\{ slow: '3' \}.*has a `slow` that is neither a number above 1 nor false/],
        ['retries', circular, /Circular.*whole number from 0 up/],
        ['description', () => 'text', /a function.*is not a text/],
        ['description', 5, /5.*is not a text/],
    ];
    for (const [name, declared, complaint] of bad) {
        test(`refuses ${name}: ${show(declared)}, says so, and goes on with the default`, () => {
            const { settings, complaints } = readSettings({ [name]: declared });
            assert.equal(complaints.length, 1);
            assert.match(complaints[0] ?? '', complaint);
            assert.ok(complaints[0]?.startsWith(`its setting \`${name}\`, `));
            assert.deepEqual(settings, DEFAULTS);
        });
    }

    test('refuses a bad heartbeat, and says nothing of addresses, which are secrets', () => {
        const bad: [unknown, string][] = [
            ['secret', "is not an address: write one like 'https://hc-ping.com/...'"],
            [5, 'is neither an address nor an object: write { success, fail }'],
            ['ftp://secret', "is not an address: write one like 'https://hc-ping.com/...'"],
            ['https://ada:secret@a.example', 'has a user or a password in it, which cannot be sent'],
            [
                { fail: 'secret' },
                "has a `fail` that is not an address: write one like 'https://hc-ping.com/...'",
            ],
            [{ success: undefined }, 'has no address: write { start, success, fail }, or some of these'],
            [
                { faill: 'secret' },
                'has an unknown key `faill` (did you mean "fail"?). Known: start, success, fail',
            ],
        ];
        for (const [heartbeat, complaint] of bad)
            assert.deepEqual(readSettings({ heartbeat }), {
                settings: DEFAULTS,
                complaints: [`its setting \`heartbeat\` ${complaint}`],
            });
    });

    test('complains about each bad value, and keeps the good ones', () => {
        const { settings, complaints } = readSettings({ retries: -1, timeout: 5, overlap: 'queue' });
        assert.equal(complaints.length, 2);
        assert.deepEqual(settings, { ...DEFAULTS, overlap: 'queue' });
    });

    test('never throws, whatever is declared: a value is taken or complained about', () => {
        fc.assert(
            fc.property(
                fc.constantFrom(...SETTING_NAMES),
                fc.anything({ withBigInt: true }),
                (name, value) => {
                    const { settings, complaints } = readSettings({ [name]: value });
                    const isDefault = value === undefined || value === null;
                    if (complaints.length > 0) assert.deepEqual(settings, DEFAULTS);
                    else assert.ok(isDefault || settings[name] !== undefined);
                },
            ),
        );
    });
});

describe('misspeltSetting', () => {
    test('finds the setting that was meant', () => {
        const misspelt = {
            timeZone: 'timezone',
            timzone: 'timezone',
            multitenant: 'multiTenant',
            multiTenants: 'multiTenant',
            tenantFilter: 'tenantsFilter',
            overlaps: 'overlap',
            timeOut: 'timeout',
            retrys: 'retries',
            environment: 'environments',
            discription: 'description',
        };
        for (const [property, setting] of Object.entries(misspelt))
            assert.equal(misspeltSetting(property), setting, property);
    });

    test('a setting itself, and a name of one own, are not misspelt', () => {
        for (const property of [
            ...SETTING_NAMES,
            'run',
            'meta',
            'deliver',
            'retry',
            'time',
            'name',
            'length',
            'hooks',
        ]) {
            assert.equal(misspeltSetting(property), undefined, property);
        }
    });

    test('any one letter too few or too many is found', () => {
        fc.assert(
            fc.property(
                fc.constantFrom(...SETTING_NAMES),
                fc.nat(),
                fc.constantFrom('', 'x', 'S', '_'),
                (setting, position, letter) => {
                    const at = position % setting.length;
                    const word = setting.slice(0, at) + letter + setting.slice(letter === '' ? at + 1 : at);
                    assert.equal(misspeltSetting(word), setting);
                },
            ),
        );
    });
});

function show(value: unknown): string {
    if (value === null || typeof value !== 'object') return String(value);
    return Array.isArray(value) && value.includes(value) ? 'a circle' : JSON.stringify(value);
}
