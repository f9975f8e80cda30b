import Database from 'libsql';

/**
 * SQLite in the shape of the framework's own database package, which is not on npm yet: `info` tells which tables
 * there are, each table has `where`, `all`, `first`, `count`, `insert` and `delete`, and `tenant` is the tenant of the
 * workspace or request: the one that the header `x-tenant-id` names, else the one whose host was asked.
 */
export default {
    create() {
        return this.defer(async () => {
            const config = await this.config.database;
            const database = openDatabase(
                this.context.root.getOrCreate('databaseClient', () => new DatabaseClient(config)),
            );
            const tenant = await findTenant(database, this.initialParams);
            return tenant ? { ...database, tenant } : database;
        });
    },
};

async function findTenant({ info, tenants, hosts }, { _headers, _url }) {
    if (!info.tenants) return undefined;
    const id = _headers['x-tenant-id'];
    if (id) return tenants.where({ id }).first();
    const name = (_headers.host || _url.hostname).replace(/:\d+$/, '').toLowerCase();
    const host = info.hosts && (await hosts.where({ name }).first());
    return host && tenants.where({ id: host.tenantId }).first();
}

/** One connection for each workspace. It stands on the workspace's context, which destroys it at its end. */
class DatabaseClient {
    constructor({ filename, schema }) {
        this.connection = new Database(filename, { timeout: 1000 });
        if (schema && this.tableNames.length === 0) this.connection.exec(schema);
    }

    get tableNames() {
        return this.all(`select name from sqlite_schema where type = 'table' order by name`).map(
            ({ name }) => name,
        );
    }

    all(sql, values = []) {
        return this.connection.prepare(sql).all(...values);
    }

    run(sql, values = []) {
        return this.connection.prepare(sql).run(...values);
    }

    destroy() {
        this.connection.close();
    }
}

function openDatabase(client) {
    const names = client.tableNames;
    return {
        ...Object.fromEntries(names.map((name) => [name, new Table(client, name)])),
        info: Object.fromEntries(names.map((name) => [name, 'table'])),
    };
}

const OPERATORS = { Ne: '!=', Lt: '<', Le: '<=', Gt: '>', Ge: '>=' };

class Table {
    constructor(client, name, conditions = [], values = []) {
        Object.assign(this, { client, name, conditions, values });
    }

    /** `{ active: true, visitedAtLt: new Date() }`: all of them have to hold. */
    where(conditions) {
        const added = Object.keys(conditions).map((key) => {
            const [, column, suffix] = /^(.+?)(Ne|Lt|Le|Gt|Ge)?$/.exec(key);
            return `"${column}" ${OPERATORS[suffix] ?? '='} ?`;
        });
        const values = Object.values(conditions).map(toSqlite);
        return new Table(this.client, this.name, [...this.conditions, ...added], [...this.values, ...values]);
    }

    async all() {
        return this.client.all(`select * from ${this.source}`, this.values);
    }

    async first() {
        return (await this.all())[0];
    }

    async count() {
        return this.client.all(`select count(*) as count from ${this.source}`, this.values)[0].count;
    }

    async delete() {
        this.client.run(`delete from ${this.source}`, this.values);
    }

    async insert(row) {
        const columns = Object.keys(row).map((column) => `"${column}"`);
        const marks = columns.map(() => '?');
        this.client.run(
            `insert into "${this.name}" (${columns}) values (${marks})`,
            Object.values(row).map(toSqlite),
        );
    }

    get source() {
        const where = this.conditions.length > 0 ? ` where ${this.conditions.join(' and ')}` : '';
        return `"${this.name}"${where}`;
    }
}

function toSqlite(value) {
    if (value instanceof Date) return value.toISOString();
    return typeof value === 'boolean' ? Number(value) : value;
}
