import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_ALERTS } from '../../lib/config/alert_settings.js';
import { SETTING_NAMES } from '../../lib/jobs/settings.js';
import { openApp } from '../support/fixture_app.js';

await openApp();
const { BackgroundJob } = await import('../../lib/jobs/background_job.js');
const { readError } = await import('../../lib/text/errors.js');
const { planJob } = await import('../../lib/jobs/job_plan.js');
const { settingsInForce } = await import('../../lib/views/settings_in_force.js');

type Surroundings = Parameters<typeof settingsInForce>[1];

function settingsOf(definition: object, surroundings: Partial<Surroundings> = {}) {
    const all = { timezone: undefined, alerts: DEFAULT_ALERTS, hasTenants: false, ...surroundings };
    BackgroundJob.register('job', { run() {}, ...definition });
    const settings = settingsInForce(planJob('job', all.timezone), all);
    BackgroundJob.unregister('job');
    return settings;
}

const environments = ['test', 'production'];
const ofMeta = {
    retries: 1,
    meta(this: { assignProps(props: object): void }) {
        this.assignProps({ retries: 2 });
    },
};
const london = { timezone: 'Europe/London' };
const unreadable = { hasTenants: readError(new Error('no such file')) };

/** Where a setting comes from: the definition, meta(), which wins, the config, or the defaults. */
const CASES: [
    name: string,
    definition: object,
    [value: unknown, text: string, source: string],
    Partial<Surroundings>?,
][] = [
    ['timeout', { timeout: '90s' }, [90_000, '1.5 min', 'definition']],
    ['timeout', {}, [null, 'none', 'default']],
    ['retries', ofMeta, [2, '2', 'meta()']],
    ['overlap', {}, ['skip', 'skip', 'default']],
    ['missedWithin', {}, [3_600_000, '1 h', 'default']],
    ['environments', { environments }, [environments, 'test, production', 'definition']],
    ['alerts', {}, [DEFAULT_ALERTS, 'failing: 3, slow: 3, overdue: true', 'default']],
    ['alerts', { alerts: false }, [{ failing: false, slow: false, overdue: false }, 'none', 'definition']],
    [
        'alerts',
        {},
        [{ failing: 5, slow: false, overdue: false }, 'failing: 5', 'config'],
        { alerts: { failing: 5, slow: false, overdue: false } },
    ],
    ['heartbeat', { heartbeat: 'https://a.example/secret' }, ['a.example', 'a.example', 'definition']],
    ['timezone', { timezone: 'Asia/Tokyo' }, ['Asia/Tokyo', 'Asia/Tokyo', 'definition'], london],
    ['timezone', {}, ['Europe/London', 'Europe/London', 'config'], london],
    ['timezone', {}, ['UTC', 'UTC', 'default']],
    ['multiTenant', { multiTenant: false }, [false, 'false', 'definition']],
    ['multiTenant', {}, [true, 'true: the app has a tenants table', 'default'], { hasTenants: true }],
    [
        'multiTenant',
        {},
        [null, 'true where the app has a tenants table (no such file)', 'default'],
        unreadable,
    ],
    [
        'tenantsFilter',
        { tenantsFilter: (tenants: unknown) => tenants },
        ['function', 'a function', 'definition'],
    ],
];

describe('the settings in force', () => {
    for (const [wanted, definition, expected, surroundings] of CASES) {
        test(`have ${wanted}: ${expected[1]}, by ${expected[2]}`, () => {
            const settings = settingsOf(definition, surroundings);
            const { value, text, source } = settings.find(({ name }) => name === wanted) ?? {};
            assert.deepEqual([value, text, source], expected);
        });
    }

    test('are all there are, but the description', () => {
        const names = settingsOf({}).map(({ name }) => name);
        assert.deepEqual(
            SETTING_NAMES.filter((name) => !names.includes(name)),
            ['description'],
        );
    });
});
