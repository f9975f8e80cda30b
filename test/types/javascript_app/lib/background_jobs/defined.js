import { defineBackgroundJob } from 'pinstripe-bot';

export default defineBackgroundJob({
    meta() {
        this.schedule('@daily');
    },

    run() {
        const greeting = this.greet('you').toUpperCase();
        console.log(greeting, this.currentRun.lateBy);
        // @ts-expect-error: a run has no such thing
        this.currentRun.nonsense;
    },

    /** @param {string} name */
    greet(name) {
        return `hello ${name}`;
    },
});
