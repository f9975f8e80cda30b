export default {
    description: 'Runs once for each active tenant.',
    tenantsFilter: (tenants) => tenants.where({ active: true }),

    meta() {
        this.schedule('*/15 * * * * *');
    },

    async run() {
        const { name } = await this.database.tenant;
        console.log(`    an invoice for ${name}`);
    },
};
