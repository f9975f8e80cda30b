import { Bot, type BotConfig } from 'pinstripe-bot';
import { simulate } from 'pinstripe-bot/testing';

export const none: BotConfig = {};

export const all: Required<BotConfig> = {
    timezone: 'Europe/London',
    concurrency: 2,
    turn: '30s',
    stopTimeout: '25s',
    log: 'json',
    engine: 'bullmq',
    journal: { filename: '/var/lib/my-app/bot.db', retention: '30d', maxRunsPerJob: 10_000, required: false },
    redis: process.env['REDIS_URL'],
    redisPrefix: 'bot:my-app:production',
    role: 'worker',
    dashboard: {
        path: 'admin/bot',
        username: 'ada',
        password: process.env['DASHBOARD_PASSWORD'],
        async authorize() {
            return (await this.user)?.isAdmin ? 'all' : 'read';
        },
        hideArgs: ['password'],
    },
    output: true,
    outputKept: 100,
    health: { overdue: '10m' },
    alerts: { failing: 5, slow: false },
};

export const inMemory: BotConfig = { journal: false, redis: { host: '127.0.0.1', port: 6379 } };

// @ts-expect-error: a duration has a unit
export const unitless: BotConfig = { stopTimeout: 25 };

// @ts-expect-error: there is no such key
export const misspelt: BotConfig = { concurency: 2 };

export const bot = new Bot({ config: async () => ({ log: 'silent', turn: '1s' }) });
export const runs = simulate('2026-01-01', '2026-01-02', { config: { timezone: 'Europe/London' } });
