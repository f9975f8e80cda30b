import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const GOOD = `export default {
    meta(){ this.schedule('* * * * * *'); },
    run(){ console.log('good ran ' + this.currentRun.scheduledAt); }
};`;

describe('an error outside of every promise', { concurrency: 2 }, () => {
    test("of a job is that run's failure, and the server survives it", async () => {
        const stray = (statement: string) => `
            let runs = 0;
            export default {
                meta(){ this.schedule('* * * * * *'); },
                async run(){
                    if(runs++ > 0) return;
                    ${statement}
                    await new Promise(resolve => setTimeout(resolve, 60));
                }
            };`;
        const jobs = {
            a_rejection: stray("Promise.reject(new Error('astray'));"),
            a_throw: stray("setTimeout(() => { throw new Error('astray'); }, 20);"),
            a_late_throw: stray("setTimeout(() => { throw new Error('astray'); }, 200);"),
        };
        const app = await makeApp(backgroundJobs({ good: GOOD, ...jobs }));
        const { process: server, get } = await app.serve();
        for (const job of ['a-rejection', 'a-throw', 'a-late-throw'])
            await server.printed(
                new RegExp(`failed ${job} outside of its promise, in .*\\.js\n +Error: astray`),
            );
        const { length } = [...server.stdout.matchAll(/^good ran/gm)];
        await server.printedTimes(/^good ran/gm, length + 2);
        assert.equal((await get('/up')).status, 200);
        assert.equal((await server.ended('SIGTERM')).code, 0);
    });
});
