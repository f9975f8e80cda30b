import { CronJob } from 'cron';
import { Cron } from 'croner';
import nodeCron from 'node-cron';
import nodeSchedule from 'node-schedule';
import type { MixedSchedule } from './schedule_mix.js';

/**
 * A scheduler with timers of its own: starts one schedule. A run is told the second it is for, in unix milliseconds, where
 * the peer says that; else the peer can be asked which second is next, by the function that is returned.
 */
export type StartSchedule = (
    schedule: MixedSchedule,
    run: (second?: number) => void,
) => (() => number) | undefined;

/** The other schedulers, each as its documentation has it. */
export const PEERS: Readonly<Record<string, StartSchedule>> = {
    croner({ crontab, timezone }, run) {
        const cron = new Cron(crontab, timezone === undefined ? {} : { timezone }, () => run());
        return () => cron.nextRun()?.getTime() ?? Number.NaN;
    },
    'node-cron'({ crontab, timezone }, run) {
        const options = timezone === undefined ? {} : { timezone };
        nodeCron.schedule(crontab, ({ date }) => run(date.getTime()), options);
        return undefined;
    },
    cron({ crontab, timezone }, run) {
        const job = CronJob.from({
            cronTime: crontab,
            onTick: () => run(),
            start: true,
            timeZone: timezone ?? null,
        });
        return () => job.nextDate().toMillis();
    },
    'node-schedule'({ crontab, timezone }, run) {
        const rule = timezone === undefined ? crontab : { rule: crontab, tz: timezone };
        nodeSchedule.scheduleJob(rule, (date) => run(date.getTime()));
        return undefined;
    },
};
