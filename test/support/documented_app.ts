/** The jobs of the documentation of the bot service, word for word, and the app that they speak of. */

/** The tables of the app; the tenants table is made by the tests of tenants alone. */
export const SCHEMA = `
    create table users (id text primary key, inactive integer, readyToDeliverNotifications integer, lastLogin text);
    create table subscriptions (id text primary key, userId text);
    create table sessions (id text primary key, lastAccessedAt text);
    create table usedHashes (id text primary key, expiresAt text);
    create table externalData (id text primary key, value text);
`;

/** The snippets that define background jobs, each in a file of its own. */
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
    'lib/background_jobs/common_patterns.js': `
export default {
    meta(){
// Every minute
this.schedule('* * * * *');

// Every 5 minutes  
this.schedule('*/5 * * * *');

// Daily at 2:30 AM
this.schedule('30 2 * * *');

// Every Monday at 9 AM
this.schedule('0 9 * * 1');

// First day of every month at midnight
this.schedule('0 0 1 * *');
    },

    run(){}
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
    'lib/background_jobs/notification_delivery.js': `
// Process pending notifications
export default {
    meta(){ this.schedule('*/2 * * * *'); },
    async run(){
        for (let user of await this.database.users.where({ 
            readyToDeliverNotifications: true 
        }).all()){
            await user.deliverNotifications();
        }
    }
};
`,
    'lib/background_jobs/data_cleanup.js': `
// Remove expired tokens
export default {
    meta(){ this.schedule('*/5 * * * *'); },
    async run(){
        await this.database.usedHashes.where({
            expiresAtLt: new Date()
        }).delete();
    }
};
`,
    'lib/background_jobs/scheduled_reports.js': `
// Generate daily reports
export default {
    meta(){ this.schedule('0 6 * * *'); }, // 6 AM daily
    async run(){
        const report = await this.generateDailyReport();
        await this.sendReportEmail(report);
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
    'lib/background_jobs/database_models.js': `
import { thirtyDaysAgo } from '../../support/dates.js';

export default {
    meta(){ this.schedule('0 2 * * *'); }, // Daily at 2 AM
    
    async run(){
        // Use model methods and relationships
        const users = await this.database.users
            .where({ lastLoginLt: thirtyDaysAgo() })
            .include('subscriptions');
            
        for(let user of users){
            await user.sendInactivityEmail();
        }
    }
};
`,
    'lib/background_jobs/external_apis.js': `
export default {
    meta(){ this.schedule('0 */6 * * *'); }, // Every 6 hours
    
    async run(){
        // Sync with external service
        const updates = await fetch('https://api.example.com/updates');
        const data = await updates.json();
        
        for(let item of data.items){
            await this.database.externalData.upsert(item);
        }
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

/** What \`generate-background-job --name my-cleanup-task\` writes. */
export const GENERATED = `export default {
    meta(){
        this.schedule('* * * * *'); // run every minute
    },

    run(){
        console.log('my-cleanup-task background job coming soon!')
    }
};
`;

/** The services and models of the app; what they are asked to do they put into \`globalThis.outbox\`. */
export const SERVICES = {
    'support/dates.js': 'export const thirtyDaysAgo = () => new Date(Date.now() - 30 * 24 * 3600 * 1000);\n',
    'lib/services/process_tenant_specific_tasks.js': `
        export default {
            create(){
                return async () => outbox.push(\`tasks of \${this.initialParams._headers['x-tenant-id']}\`);
            }
        };
    `,
    'lib/services/generate_daily_report.js': `
        export default { create(){ return async () => ({ title: 'Daily report' }); } };
    `,
    'lib/services/send_report_email.js': `
        export default { create(){ return async ({ title }) => outbox.push(\`email: \${title}\`); } };
    `,
    'lib/services/perform_critical_task.js': `
        export default { create(){ return async () => { throw new Error('the disk is full'); }; } };
    `,
    'lib/services/send_error_notification.js': `
        export default { create(){ return async ({ message }) => outbox.push(\`notification: \${message}\`); } };
    `,
    'lib/services/database.js': `
        const modelOf = user => ({
            ...user,
            deliverNotifications: async () => outbox.push(\`notifications of \${user.id}\`),
            sendInactivityEmail: async () => outbox.push(\`inactivity of \${user.id}, \${user.subscriptions.length} subscriptions\`)
        });

        const query = (table, sqlite) => ({
            where: conditions => query(table.where(conditions), sqlite),
            delete: () => table.delete(),
            all: async () => (await table.all()).map(modelOf),
            async include(name){
                const related = await sqlite[name].all();
                return (await table.all()).map(row => modelOf({
                    ...row,
                    [name]: related.filter(({ userId }) => userId === row.id)
                }));
            }
        });

        export default {
            create(){
                return this.defer(async () => {
                    const sqlite = await this.sqlite;
                    return {
                        ...sqlite,
                        users: query(sqlite.users, sqlite),
                        externalData: {
                            async upsert(row){
                                await sqlite.externalData.where({ id: row.id }).delete();
                                await sqlite.externalData.insert(row);
                            }
                        }
                    };
                });
            }
        };
    `,
};
