import type { CommandInstance, CommandRegistry } from '../../types/framework.js';
import { readTimezone } from '../schedule/timezone.js';

/**
 * Lets a command take the time zone on whose clock it shows times.
 *
 * @param command the command's class, in its `meta()`
 */
export function takeTimezone(command: CommandRegistry): void {
    command.hasParam('timezone', {
        type: 'string',
        optional: true,
        placeholder: 'zone',
        description: `The time zone in which times are shown, like Europe/London (default: bot.timezone, else the process's).`,
    });
    command.addHook('validation', function (this: CommandInstance) {
        const { timezone } = this.params;
        try {
            if (timezone !== undefined) readTimezone(timezone);
        } catch (error) {
            this.setValidationError('timezone', `"${timezone}" ${(error as Error).message}`);
        }
    });
}

/**
 * The time zone on whose clock a command shows times, and reads those without an offset.
 *
 * @param wanted IANA name: what was asked for
 * @param configured `bot.timezone`
 * @returns IANA name: the first of them, else the process's
 */
export function displayTimezone(wanted: string | undefined, configured: string | undefined): string {
    return wanted ?? configured ?? processTimezone();
}

/**
 * The zone of the process's clock.
 *
 * @returns IANA name
 */
export function processTimezone(): string {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
