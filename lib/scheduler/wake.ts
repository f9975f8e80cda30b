/** A step back of the clock by more than this many seconds is believed. */
const BELIEVED_STEP_BACK = 3600;

/**
 * What the bot finds when it wakes:
 * - `early`: the next second has not come yet;
 * - `tick`: it is the next second;
 * - `gap`: seconds went by that nobody looked at, because the process was blocked or asleep, or the clock was set;
 * - `behind`: the clock was set back; nothing runs again before the time that was reached once;
 * - `set back`: it was set back so far that the new time is taken for the right one.
 */
export type Wake = 'early' | 'tick' | 'gap' | 'behind' | 'set back';

/**
 * Compares the time on waking with the last second that was looked at.
 *
 * @param last unix second
 * @param now unix second
 * @returns what to make of it
 */
export function judgeWake(last: number, now: number): Wake {
    if (now === last) return 'early';
    if (now === last + 1) return 'tick';
    if (now > last) return 'gap';
    return last - now > BELIEVED_STEP_BACK ? 'set back' : 'behind';
}
