export default {
    description: 'Always fails, to show what that looks like: one retry, and nobody else is harmed.',
    multiTenant: false,
    retries: 1,
    retryDelay: '2s',

    meta() {
        this.schedule('*/20 * * * * *');
    },

    async run() {
        throw new Error('the supplier does not answer');
    },
};
