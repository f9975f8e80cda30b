import { CronJob } from 'cron';
import { Cron } from 'croner';
import nodeCron from 'node-cron';
import nodeSchedule from 'node-schedule';
import type { MixedSchedule } from './schedule_mix.js';

/** A scheduler with timers of its own: starts one schedule. */
export type StartSchedule = (schedule: MixedSchedule, run: () => void) => unknown;

/** The other schedulers, each as its documentation has it. */
export const PEERS: Readonly<Record<string, StartSchedule>> = {
    croner: ({ crontab, timezone }, run) =>
        new Cron(crontab, timezone === undefined ? {} : { timezone }, run),
    'node-cron': ({ crontab, timezone }, run) =>
        nodeCron.schedule(crontab, run, timezone === undefined ? {} : { timezone }),
    cron: ({ crontab, timezone }, run) =>
        CronJob.from({ cronTime: crontab, onTick: run, start: true, timeZone: timezone ?? null }),
    'node-schedule': ({ crontab, timezone }, run) =>
        nodeSchedule.scheduleJob(timezone === undefined ? crontab : { rule: crontab, tz: timezone }, run),
};
