import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SETTING_NAMES } from '../../lib/jobs/settings.js';
import { openApp } from '../support/fixture_app.js';

await openApp();
const { BackgroundJob } = await import('../../lib/jobs/background_job.js');
const { readError } = await import('../../lib/text/errors.js');
const { planJob } = await import('../../lib/jobs/job_plan.js');
const { settingsInForce } = await import('../../lib/views/settings_in_force.js');

const NOWHERE = { timezone: undefined, hasTenants: false };

function settingsOf(definition: object, surroundings: Parameters<typeof settingsInForce>[1] = NOWHERE) {
    BackgroundJob.register('job', { run() {}, ...definition });
    const settings = settingsInForce(planJob('job', surroundings.timezone), surroundings);
    BackgroundJob.unregister('job');
    return (name: string) => {
        const { value, text, source } = settings.find((setting) => setting.name === name) ?? {};
        return [value, text, source];
    };
}

describe('the settings in force', () => {
    test('come from the definition, from meta(), which wins, or are defaults', () => {
        const of = settingsOf({
            retries: 1,
            timeout: '90s',
            meta(this: { assignProps(props: object): void; retries: number }) {
                this.assignProps({ retries: 2 });
            },
        });
        assert.deepEqual(of('timeout'), [90_000, '1.5 min', 'definition']);
        assert.deepEqual(of('retries'), [2, '2', 'meta()']);
        assert.deepEqual(of('overlap'), ['skip', 'skip', 'default']);
        assert.deepEqual(of('missedWithin'), [3_600_000, '1 h', 'default']);
        assert.deepEqual(settingsOf({})('timeout'), [null, 'none', 'default']);
        const environments = ['test', 'production'];
        assert.deepEqual(settingsOf({ environments })('environments'), [
            environments,
            'test, production',
            'definition',
        ]);
    });

    test('have the zone of the job, else of the config, else of the process', () => {
        const london = { ...NOWHERE, timezone: 'Europe/London' };
        const own = settingsOf({ timezone: 'Asia/Tokyo' }, london);
        assert.deepEqual(own('timezone'), ['Asia/Tokyo', 'Asia/Tokyo', 'definition']);
        assert.deepEqual(settingsOf({}, london)('timezone'), ['Europe/London', 'Europe/London', 'config']);
        assert.deepEqual(settingsOf({})('timezone'), ['UTC', 'UTC', 'default']);
    });

    test('are multi-tenant where the job says so, else where the app has tenants', () => {
        assert.deepEqual(settingsOf({ multiTenant: false })('multiTenant'), [false, 'false', 'definition']);
        const app = settingsOf({}, { ...NOWHERE, hasTenants: true });
        assert.deepEqual(app('multiTenant'), [true, 'true: the app has a tenants table', 'default']);
        const unknown = settingsOf({}, { ...NOWHERE, hasTenants: readError(new Error('no such file')) });
        assert.deepEqual(unknown('multiTenant'), [
            null,
            'true where the app has a tenants table (no such file)',
            'default',
        ]);
        const filtered = settingsOf({ tenantsFilter: (tenants: unknown) => tenants });
        assert.deepEqual(filtered('tenantsFilter'), ['function', 'a function', 'definition']);
    });

    test('are all there are, but the description', () => {
        const of = settingsOf({});
        for (const name of SETTING_NAMES)
            assert.equal(of(name)[1] === undefined, name === 'description', name);
    });
});
