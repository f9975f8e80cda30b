import { defineBackgroundJob } from 'pinstripe-bot';

export default defineBackgroundJob({
    description: 'All that a job can have.',
    timezone: 'Europe/London',
    tenantsFilter: (tenants) => tenants.where({ active: true }),
    overlap: 'queue',
    missed: 'all',
    missedWithin: '2h',
    timeout: '30s',
    retries: 2,
    retryDelay: '5s',
    environments: ['production'],
    heartbeat: process.env['HEARTBEAT'] && { success: process.env['HEARTBEAT'] },

    meta() {
        this.schedule('0 6 * * *').schedule('*/5 * * * *', 'hourly', { deep: true }, null, [1, 2]);
        this.multiTenant = false;
        this.assignProps({ timeout: '1m' });
        this.addHook('runFailed', function (error) {
            console.error(this.currentRun.job, error);
        });
        this.addHook('jobFailing', async function ({ failures, error }) {
            console.error(this.currentRun.job, failures, error.message);
        });
        const name: string = this.name;
        const crontabs: string[] = this.schedules.map(([crontab]) => crontab);
        console.log(name, crontabs);

        // @ts-expect-error: a crontab is a string
        this.schedule(5);
        // @ts-expect-error: args are JSON values
        this.schedule('@daily', () => {});
        // @ts-expect-error: none of the policies
        this.overlap = 'nope';
    },

    async run(mode: string, options?: { deep: boolean }) {
        const { aborted }: { aborted: boolean } = this.signal;
        const late: number = this.currentRun.lateBy;
        const slot: number | undefined = this.currentRun.scheduledAt;
        const greeting: string = this.greet(mode);
        await this.database.users.where({ inactive: true }).delete();
        const tenant = this.initialParams._headers['x-tenant-id'];
        console.log(aborted, late, slot, greeting, tenant, options?.deep);

        // @ts-expect-error: a run has no such thing
        this.currentRun.nonsense;
        // @ts-expect-error: a job's own helper has its own type
        const number: number = this.greet(mode);
        console.log(number);
        // @ts-expect-error: the bot aborts it, not the job
        this.signal = new AbortController().signal;
    },

    greet(name: string): string {
        return `${name} at ${this.currentRun.attempt}`;
    },
});

export const returning = defineBackgroundJob({
    run() {
        return this.greet('you');
    },

    greet(name: string) {
        return `hello ${name}`;
    },
});

defineBackgroundJob({
    // @ts-expect-error: none of the policies
    overlap: 'nope',
    run() {},
});

// @ts-expect-error: a job has a run()
defineBackgroundJob({ description: 'nothing to do' });
