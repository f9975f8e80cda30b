import { setTimeout as delay } from 'node:timers/promises';

export default {
    description:
        'Takes its time: a slot that comes while the last run goes on is skipped, and some runs are too slow.',
    multiTenant: false,
    timeout: '12s',

    meta() {
        this.schedule('36-59/4 * * * * *', { size: 'small' });
    },

    async run({ size }) {
        await delay(Math.random() ** 3 * 15_000, undefined, { signal: this.signal });
        console.log(`    a picture, ${size} now`);
    },
};
