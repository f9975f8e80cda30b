import { CronJob } from 'cron';
import { Cron } from 'croner';
import nodeCron from 'node-cron';
import nodeSchedule from 'node-schedule';
import type { MixedSchedule } from './schedule_mix.js';

/** A scheduler with timers of its own: starts one schedule. A run is given the second it is for, in unix milliseconds. */
export type StartSchedule = (schedule: MixedSchedule, run: (second: number) => void) => unknown;

/**
 * The other schedulers, each as its documentation has it. node-cron and node-schedule say which second a run is for; the
 * others are asked, after each run, which second is next.
 */
export const PEERS: Readonly<Record<string, StartSchedule>> = {
    croner({ crontab, timezone }, run) {
        const next = () => cron.nextRun()?.getTime() ?? Number.NaN;
        const cron = new Cron(crontab, timezone === undefined ? {} : { timezone }, () => {
            run(second);
            second = next();
        });
        let second = next();
    },
    'node-cron': ({ crontab, timezone }, run) =>
        nodeCron.schedule(
            crontab,
            ({ date }) => run(date.getTime()),
            timezone === undefined ? {} : { timezone },
        ),
    cron({ crontab, timezone }, run) {
        const next = () => job.nextDate().toMillis();
        const job = CronJob.from({
            cronTime: crontab,
            onTick() {
                run(second);
                second = next();
            },
            start: true,
            timeZone: timezone ?? null,
        });
        let second = next();
    },
    'node-schedule': ({ crontab, timezone }, run) =>
        nodeSchedule.scheduleJob(timezone === undefined ? crontab : { rule: crontab, tz: timezone }, (date) =>
            run(date.getTime()),
        ),
};
