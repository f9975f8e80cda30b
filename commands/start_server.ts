import { once } from 'node:events';
import type { Server } from 'node:http';
import { type Config, ConfigError, loadConfig } from '../lib/config/config.js';
import { failOnBadParams, flag } from '../lib/process/command.js';
import { exitSoon, stopOnSignals } from '../lib/process/stop_signals.js';
import { readError, traceOf } from '../lib/text/errors.js';
import { printableLines } from '../lib/text/printable.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

type ListenError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

/** What the bot adds to the framework's own `start-server`: it starts with the server and stops with it. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            summary: 'Starts the web server, the bot, which runs the background jobs, and the job worker.',
            example: 'start-server --host 127.0.0.1:8080 --without-bot',
        });
        this.hasParam('withoutBot', flag('Skip starting the bot, which runs the background jobs.'));
        this.addHook('validation', checkHost);
        this.addHook('validation', checkConfig);
        failOnBadParams(this);
        this.addHook('beforeServerStart', addDashboard);
        this.addHook('afterServerStart', waitForListeners);
        this.addHook('afterServerStart', startBot);
    },
};

// The framework crashes on anything else with an error about a variable of its own.
function checkHost(this: CommandInstance): void {
    const host: string = this.params['host'] ?? process.env['PINSTRIPE_HOST'] ?? '127.0.0.1:3000';
    const pairs = host.trim().split(/\s+/);
    const bad = pairs.find((pair) => !(Number(/^[^:]+:(\d+)$/.exec(pair)?.[1]) <= 65535));
    if (bad !== undefined)
        this.setValidationError('host', `"${bad}" is not a host and port, like 127.0.0.1:3000`);
}

async function checkConfig(this: CommandInstance): Promise<void> {
    try {
        if (!this.params['withoutBot']) await loadConfig();
    } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        this.setValidationError('config', error.message);
    }
}

async function addDashboard(): Promise<void> {
    const { dashboard } = await loadConfig().catch(() => ({ dashboard: false as const }));
    if (!dashboard) return;
    const { serveDashboard } = await import('../lib/dashboard/dashboard.js');
    serveDashboard(dashboard);
}

// Node's own answer to a port that is taken is a crash in the middle of the bot's start.
async function waitForListeners(this: CommandInstance): Promise<void> {
    const servers: Server[] = this['server'].servers;
    const starting = servers.filter(({ listening }) => !listening);
    try {
        await Promise.all(starting.map((server) => once(server, 'listening')));
    } catch (error) {
        const { code, address, port, message } = error as ListenError;
        const reason =
            code === 'EADDRINUSE'
                ? `port ${port} of ${address} is in use: stop what listens there, or choose another one with --host`
                : message;
        console.error(`The server cannot start: ${reason}.`);
        process.exit(1);
    }
}

async function startBot(this: CommandInstance): Promise<void> {
    if (this.params['withoutBot']) return;
    const config: Config = await loadConfig();
    if (!config.enabled) return;
    const { bot, server, context } = this;
    stopOnSignals(bot, config.stopTimeout, () => void server.stop());
    // Destroyed with the command's own context, after the server: however that comes to its end, the bot stops.
    context.root['botOwner'] = {
        async destroy() {
            await bot.stop();
            exitSoon(bot);
        },
    };
    bot.start().catch((error: unknown) => {
        console.error(printableLines(`The bot could not start: ${traceOf(readError(error))}`));
        process.exitCode = 1;
    });
}
