/** pinstripe-bot: a cron-based background job scheduler for the Pinstripe framework. Importing it installs it. */
import './install.js';

export type {
    AlertConfig,
    BackgroundJobClass,
    BackgroundJobDefinition,
    BackgroundJobInstance,
    BackgroundJobRegistry,
    BackgroundJobSettings,
    BackgroundJobShape,
    CurrentRun,
    Duration,
} from '../types/background_job.js';
export type { BotConfig, DashboardConfig, JournalConfig } from '../types/bot_config.js';
export type { Services } from '../types/framework.js';
export { ConfigError } from './config/config.js';
export { BackgroundJob, defineBackgroundJob } from './jobs/background_job.js';
export type { BotEvent } from './runs/events.js';
export type { PauseOptions } from './runs/pause.js';
export type { Outcome, Run, TenantId } from './runs/run.js';
export type { TracedAttempt } from './runs/tracing.js';
export { BadScheduleError, type Json } from './schedule/schedule.js';
export { Bot } from './scheduler/bot.js';
export type { BotParts } from './scheduler/runtime.js';
export type { ErrorRecord } from './text/errors.js';
