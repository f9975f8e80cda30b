/** @type {import('pinstripe-bot').BackgroundJobDefinition} */
export default {
    overlap: 'skip',

    meta() {
        this.schedule('*/5 * * * *', 'hourly');
        this.multiTenant = false;
        // @ts-expect-error: none of the policies
        this.overlap = 'nope';
    },

    async run() {
        if (this.signal.aborted) return;
        console.log(this.currentRun.lateBy.toFixed(), await this.helper());
        // @ts-expect-error: a run has no such thing
        this.currentRun.nonsense;
    },

    helper() {
        return this.currentRun.attempt;
    },
};

/** @type {import('pinstripe-bot').BackgroundJobDefinition} */
export const wrong = {
    // @ts-expect-error: none of the policies
    overlap: 'nope',
    run() {},
};
