import { subscribe } from 'node:diagnostics_channel';

const MOST = 15;

/** The runs that ended last, the newest first. */
export const recentRuns = [];

subscribe('pinstripe-bot:run-ended', ({ run }) => {
    recentRuns.unshift(run);
    recentRuns.splice(MOST);
});
