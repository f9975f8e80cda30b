/** The jobs of the documentation of the bot service, word for word, and the app that they speak of. */

/** The tables of the app; the tenants table is made by the tests of tenants alone. */
export const SCHEMA = `
    create table users (id text primary key, inactive integer);
    create table sessions (id text primary key, lastAccessedAt text);
`;

/** The snippets that define background jobs, one of each kind, in files of their own. */
export const JOBS = {
    'lib/background_jobs/creating.js': `
// Define a background job that the bot will execute
export default {
    meta(){
        // Run every 5 minutes
        this.schedule('*/5 * * * *');
        
        // Multiple schedules supported
        this.schedule('0 0 * * *'); // Daily at midnight
        this.schedule('0 12 * * 1'); // Weekly on Monday at noon
        
        // With arguments
        this.schedule('0 * * * *', 'hourly-cleanup', { deep: true });
    },

    async run(){
        // Job logic here
        console.log('Background job executed!');
        
        // Access services and models
        await this.database.users.where({ inactive: true }).delete();
    }
};
`,
    'lib/background_jobs/multi_tenant.js': `
// In multi-tenant environments, background jobs can run per tenant
export default {
    meta(){
        this.schedule('*/10 * * * *');
    },
    
    // Multi-tenant configuration
    multiTenant: true,
    
    // Optional tenant filtering
    tenantsFilter: tenants => tenants.where({ active: true }),
    
    async run(){
        // This runs once per tenant
        const currentTenant = this.initialParams._headers['x-tenant-id'];
        await this.processTenantSpecificTasks();
    }
};
`,
    'lib/background_jobs/data_maintenance.js': `
// Clean up expired sessions
export default {
    meta(){ this.schedule('*/5 * * * *'); },
    async run(){
        await this.database.sessions.where({
            lastAccessedAtLt: new Date(Date.now() - (1000 * 60 * 30))
        }).delete();
    }
};
`,
    'lib/background_jobs/development.js': `
// In development, consider less frequent schedules
export default {
    meta(){
        const isDev = process.env.NODE_ENV === 'development';
        // Every 5 minutes in dev, every minute in production
        this.schedule(isDev ? '*/5 * * * *' : '* * * * *');
    },
    
    async run(){
        // Job logic
    }
};
`,
    'lib/background_jobs/best_practices.js': `
export default {
    meta(){ this.schedule('*/10 * * * *'); },
    
    async run(){
        try {
            await this.performCriticalTask();
        } catch(error) {
            // Log specific error details
            console.error(\`Critical task failed: \${error.message}\`);
            
            // Optionally notify administrators
            await this.sendErrorNotification(error);
            
            // Don't re-throw - let other jobs continue
        }
    }
};
`,
};

/** The services and models of the app; what they are asked to do they put into \`globalThis.outbox\`. */
export const SERVICES = {
    'lib/services/process_tenant_specific_tasks.js': `
        export default {
            create(){
                return async () => outbox.push(\`tasks of \${this.initialParams._headers['x-tenant-id']}\`);
            }
        };
    `,
    'lib/services/perform_critical_task.js': `
        export default { create(){ return async () => { throw new Error('the disk is full'); }; } };
    `,
    'lib/services/send_error_notification.js': `
        export default { create(){ return async ({ message }) => outbox.push(\`notification: \${message}\`); } };
    `,
};
