import { View } from '../framework.js';
import { type Bot, runtimeOf } from '../scheduler/bot.js';
import { faultsNow } from './health.js';

/** Since when something is wrong, in unix milliseconds. */
let since: number | undefined;

/** Lets the framework's `/up` answer 503 while something is wrong, unless `bot.health` is false; the log says what. */
export function checkUp(bot: Bot): void {
    View.register('up', {
        meta(this: { addHook(name: string, hook: () => Promise<void>): void }) {
            this.addHook('check', () => check(bot));
        },
    });
}

async function check(bot: Bot): Promise<void> {
    const faults = await faultsNow(bot);
    const { config, emit, clock } = runtimeOf(bot);
    if (config.health === false) return;
    const [first] = faults;
    if (!first) {
        if (since !== undefined) emit({ type: 'healthy-again', after: clock.now() - since });
        since = undefined;
        return;
    }
    if (since === undefined) emit({ type: 'unhealthy', faults: faults.map(({ message }) => message) });
    since ??= clock.now();
    throw new Error(first.message);
}
