/** pinstripe-bot: a cron-based background job scheduler for the Pinstripe framework. Importing it installs it. */
import './install.js';

export type {
    BackgroundJobClass,
    BackgroundJobDefinition,
    BackgroundJobInstance,
    BackgroundJobRegistry,
    BackgroundJobSettings,
    BackgroundJobShape,
    Duration,
} from '../types/background_job.js';
export type { Services } from '../types/framework.js';
export { BackgroundJob, defineBackgroundJob } from './background_job.js';
export { Bot, type BotParts } from './bot.js';
export { type BotConfig, ConfigError } from './config.js';
export type { BotEvent } from './events.js';
export type { CurrentRun, Outcome, Run, TenantId } from './run.js';
export { BadScheduleError, type Json } from './schedule.js';
