export default {
    description: 'Counts the visits to the web page, and forgets the old ones.',
    multiTenant: false,

    meta() {
        this.schedule('*/5 * * * * *', 'last minute', { seconds: 60 });
        this.schedule('0 * * * * *', 'last hour', { seconds: 3600, forget: true });
    },

    async run(title, { seconds, forget = false }) {
        const since = new Date(Date.now() - seconds * 1000);
        const visits = await this.database.visits.where({ visitedAtGe: since }).count();
        console.log(`    visits in the ${title}: ${visits}`);
        if (forget) await this.database.visits.where({ visitedAtLt: since }).delete();
    },
};
