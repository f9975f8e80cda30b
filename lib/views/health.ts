import type { Fault } from '../health/faults.js';
import { faultsNow } from '../health/health.js';
import type { Bot } from '../scheduler/bot.js';
import { count } from '../text/format.js';
import { printJson } from '../text/json_output.js';
import { paint } from '../text/paint.js';
import { printable } from '../text/printable.js';
import { isoMoment } from '../time/moment.js';

/** Prints what is wrong, a line each, and exits with 1; or that all is well. */
export async function printHealth(bot: Bot, isJson: boolean): Promise<void> {
    const faults = await faultsNow(bot);
    if (isJson) printJson({ healthy: faults.length === 0, faults: faults.map(faultAsJson) });
    else if (faults.length === 0) console.log(`${paint.green('all is well')}: ${await factsOf(bot)}`);
    else for (const { kind, message } of faults) console.log(`${paint.red(kind)}  ${printable(message)}`);
    if (faults.length === 0) return;
    process.exitCode = 1;
    // A store that does not answer would keep the process waiting.
    if (faults.some(({ kind }) => kind === 'store away')) setTimeout(() => process.exit(), 100).unref();
}

async function factsOf(bot: Bot): Promise<string> {
    const { plans } = await bot.survey();
    const schedules = plans.reduce((sum, plan) => sum + plan.schedules.length, 0);
    return `${count(plans.length, 'background job')}, ${count(schedules, 'schedule')}`;
}

function faultAsJson({ kind, job, since, message }: Fault): object {
    return { kind, job: job ?? null, since: since === undefined ? null : isoMoment(since), message };
}
