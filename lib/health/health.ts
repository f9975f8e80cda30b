import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, overdueAfter } from '../config/config.js';
import type { History } from '../runs/history.js';
import { type Bot, runtimeOf, type Survey } from '../scheduler/bot.js';
import { messageOf } from '../text/errors.js';
import { type Fault, faultsOf, type Known } from './faults.js';

/** As many runs that wait are looked at. */
const MOST_WAITING = 10_000;

/** A store that has not answered for so long, in milliseconds, is away: who asks wants to know within a second. */
const PATIENCE = 800;

/** Finds what is wrong now, by looking at the config, the jobs and the store, without changing anything; empty: all is well. */
export async function faultsNow(bot: Bot): Promise<Fault[]> {
    let survey: Survey;
    try {
        survey = await bot.survey();
    } catch (error) {
        const cure = error instanceof ConfigError ? '' : ': the config cannot be read';
        return [{ kind: 'bad config', message: `${messageOf(error)}${cure}` }];
    }
    const { failure, config, clock, life } = runtimeOf(bot);
    const own: Fault[] = [];
    if (failure !== undefined)
        own.push({ kind: 'bot not started', message: `the bot of this process could not start: ${failure}` });
    try {
        const known = await Promise.race([look(bot, survey), silence()]);
        const faults = faultsOf(survey, known, { now: clock.now(), overdue: overdueAfter(config.health) });
        // A bot that has just been started has yet to show it.
        const isStarting = known.workedUntil === undefined && life?.isOpen === true;
        return [...own, ...faults.filter(({ kind }) => kind !== 'no process' || !isStarting)];
    } catch (error) {
        const message = `what became of the jobs cannot be read: ${messageOf(error)}`;
        return [...own, { kind: 'store away', message }];
    }
}

// Another process may have a lock for a moment, when it opens the journal for instance.
async function look(bot: Bot, survey: Survey): Promise<Known> {
    for (let since = performance.now(); ; await delay(PATIENCE / 8, undefined, { ref: false })) {
        try {
            const history = await bot.history();
            return await knownOf(history, survey).finally(() => history.close());
        } catch (error) {
            if (performance.now() - since > PATIENCE / 2) throw error;
        }
    }
}

/** What a history says of an app's jobs. */
export async function knownOf(history: History, { plans }: Survey): Promise<Known> {
    const keys = plans.flatMap(({ schedules }) => schedules.map(({ key }) => key));
    const [handled, waiting, pauses, workedUntil] = await Promise.all([
        history.handledUntil(keys),
        history.waitingRuns(MOST_WAITING),
        history.pauses(),
        history.workedUntil(),
    ]);
    return { handled, waiting, pauses, workedUntil, isShared: history.isShared };
}

async function silence(): Promise<never> {
    await delay(PATIENCE, undefined, { ref: false });
    throw new Error(`it did not answer within ${PATIENCE} ms`);
}
