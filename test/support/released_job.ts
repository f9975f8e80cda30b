import { backgroundJobs } from './installed_app.js';

/** A job that is due each second, says when it begins and ends, and goes on until there is a file `release`. */
export const UNTIL_RELEASED = backgroundJobs({
    until_released: `
        import { existsSync } from 'node:fs';
        import { setTimeout } from 'node:timers/promises';
        export default {
            meta(){ this.schedule('* * * * * *'); },
            async run(){
                console.log('begin');
                while(!existsSync('release')) await setTimeout(20);
                console.log('end');
            }
        };`,
});
