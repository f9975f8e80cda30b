export default {
    bot: {
        stopTimeout: '5s',
        journal: { filename: process.env.BOT_JOURNAL },
    },

    database: {
        filename: 'example.db',
        schema: `
            create table tenants (id text primary key, name text, active integer);
            insert into tenants values ('t1', 'Ada & Sons', 1), ('t2', 'Babbage Ltd', 1), ('t3', 'Closed Inc', 0);
            create table hosts (name text primary key, tenantId text);
            insert into hosts values ('ada.localhost', 't1'), ('babbage.localhost', 't2'), ('closed.localhost', 't3');

            create table visits (id integer primary key, visitedAt text);
        `,
    },
};
