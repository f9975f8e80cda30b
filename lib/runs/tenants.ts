import type { Services } from '../../types/framework.js';
import { ServiceFactory, Workspace } from '../framework.js';
import type { Settings } from '../jobs/settings.js';
import { runStorage } from './active_run.js';
import type { TenantId } from './run.js';

/** The tenants that a job runs for. */
export type Tenancy =
    | { kind: 'single' }
    /** In the table's order. */
    | { kind: 'tenants'; ids: readonly TenantId[] }
    /** The job wants tenants, and the app has no tenants table. */
    | { kind: 'no tenants table' };

/** Whether a job may have tenants, which only the database knows. */
export function mayHaveTenants({ multiTenant }: Settings): boolean {
    return multiTenant ?? hasDatabase();
}

/** Lists a job's tenants. @throws what the app's `database` service, or the job's `tenantsFilter`, throws */
export async function tenancyOf({ multiTenant, tenantsFilter }: Settings): Promise<Tenancy> {
    if (multiTenant === false) return { kind: 'single' };
    const ids = await withTenants(async (database) => {
        const tenants: { id: TenantId }[] = await tenantsFilter(database.tenants).all();
        return tenants.map(({ id }) => id);
    });
    if (ids) return { kind: 'tenants', ids };
    return multiTenant ? { kind: 'no tenants table' } : { kind: 'single' };
}

/**
 * The tenant of a workspace. In a run's own workspace it is the run's. In any other it is the one that the app's `database`
 * finds, for instance by the host of a request, or else that of the run around it.
 */
export async function tenantOf(workspace: Services): Promise<TenantId | undefined> {
    const active = runStorage.getStore();
    if (!hasDatabase() || active?.workspace === workspace.context.root) return active?.run.tenant;
    const tenant: { id: TenantId } | undefined = await workspace['database'].tenant;
    return tenant?.id ?? workspace.initialParams._headers['x-tenant-id'] ?? active?.run.tenant;
}

/** Whether there is a `database` service with a tenants table. @throws what that service throws */
export async function hasTenantsTable(): Promise<boolean> {
    return (await withTenants(async () => true)) ?? false;
}

/** Asks the app's database in a workspace of its own; undefined: it has no tenants table. */
async function withTenants<T>(ask: (database: Services['database']) => Promise<T>): Promise<T | undefined> {
    if (!hasDatabase()) return undefined;
    return Workspace.run(async function () {
        const { database } = this;
        return (await database.info.tenants) ? ask(database) : undefined;
    });
}

function hasDatabase(): boolean {
    return ServiceFactory.mixins['database'] !== undefined;
}

/** Looks a run's tenant up again, in the run's own workspace: why the job is not to run for it any more, or undefined. */
export async function whyNotServed(
    workspace: Services,
    { tenantsFilter }: Settings,
    tenant: TenantId,
): Promise<'tenant gone' | 'tenant left out' | undefined> {
    if (!hasDatabase()) return undefined;
    const { tenants } = workspace['database'];
    const has = async (query: { all(): Promise<{ id: TenantId }[]> }) =>
        (await query.all()).some(({ id }) => String(id) === String(tenant));
    if (await has(tenantsFilter(tenants.where({ id: tenant })))) return undefined;
    return (await has(tenants.where({ id: tenant }))) ? 'tenant left out' : 'tenant gone';
}
