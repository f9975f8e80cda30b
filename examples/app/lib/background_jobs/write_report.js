export default {
    description: 'Every morning at 06:00 in London, summer and winter.',
    timezone: 'Europe/London',
    multiTenant: false,

    meta() {
        this.schedule('0 6 * * *');
    },

    async run() {
        console.log(`    the report of ${new Date().toDateString()}`);
    },
};
