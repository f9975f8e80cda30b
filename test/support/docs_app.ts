import { backgroundJobs } from './installed_app.js';

/** The app that the pages of the commands speak of, in `docs/commands/`. */
export const DOCS_APP: Record<string, string> = {
    ...backgroundJobs({
        clean_up: `export default {
    description: 'Deletes what nobody needs.',
    meta(){ this.schedule('*/5 * * * *'); },
    run(){ console.log('cleaned up'); }
};
`,
        fetch_prices: `export default {
    meta(){ this.schedule('0 * * * *'); },
    timeout: '30s',
    run(){ throw new Error('the supplier does not answer'); }
};
`,
        nightly_digest: `export default {
    description: 'Sends everybody the digest of the day.',
    meta(){ this.schedule('0 2 * * *', 'all'); },
    timezone: 'Europe/London',
    retries: 2,
    run(scope){ console.log(\`a digest of \${scope}\`); }
};
`,
    }),
};
