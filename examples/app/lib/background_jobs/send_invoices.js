export default {
    description: 'Runs once for each active tenant.',
    tenantsFilter: (tenants) => tenants.where({ active: true }),

    meta() {
        this.schedule('*/15 * * * * *');
    },

    async run() {
        const id = this.initialParams._headers['x-tenant-id'];
        const [tenant] = await this.database.tenants.where({ id }).all();
        console.log(`    an invoice for ${tenant.name}`);
    },
};
