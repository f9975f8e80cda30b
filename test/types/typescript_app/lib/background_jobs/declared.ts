import type { BackgroundJobDefinition } from 'pinstripe-bot';

const job: BackgroundJobDefinition = {
    meta() {
        this.schedule('@daily');
        // @ts-expect-error: none of the policies
        this.missed = 'nope';
    },

    async run() {
        if (this.signal.aborted || this.currentRun.lateBy > 1000) return;
        await this.helper();
        // @ts-expect-error: a run has no such thing
        this.currentRun.nonsense;
    },

    helper() {},
};

export default job;

export const satisfying = {
    overlap: 'replace',
    run() {
        return this.currentRun.tenant;
    },
} satisfies BackgroundJobDefinition;

export const wrong: BackgroundJobDefinition = {
    // @ts-expect-error: none of the policies
    overlap: 'nope',
    run() {},
};
