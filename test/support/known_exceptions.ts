import { type Crontab, showsTime } from './crontab_oracle.js';
import { offsetAt } from './time_zone_oracle.js';

const DAY = 24 * 3600;

/** A slot that the rule has and croner does not. */
export interface LostSlot {
    readonly crontab: string;
    readonly timezone: string;
    readonly slot: string;
    /** What croner has next instead. */
    readonly instead: string;
}

/**
 * Croner 11.0.1 drops a fixed time in a gap that ends at midnight, as the first valid time after it is on the next day.
 * Of the zones of today it concerns Greenland alone, each spring.
 */
export const LOST_AT_MIDNIGHT: readonly LostSlot[] = [
    {
        crontab: '30 23 * * *',
        timezone: 'America/Godthab',
        slot: '2026-03-29T01:00:00Z',
        instead: '2026-03-30T00:30:00Z',
    },
    {
        crontab: '0 23 * * *',
        timezone: 'America/Scoresbysund',
        slot: '2026-03-29T01:00:00Z',
        instead: '2026-03-30T00:00:00Z',
    },
    {
        crontab: '15,45 23 * * *',
        timezone: 'Asia/Dhaka',
        slot: '2009-06-19T17:00:00Z',
        instead: '2009-06-20T16:15:00Z',
    },
    {
        crontab: '45 23 * * *',
        timezone: 'Asia/Pyongyang',
        slot: '2018-05-04T15:00:00Z',
        instead: '2018-05-05T14:45:00Z',
    },
];

/**
 * Whether a slot of the rule is one that croner loses at midnight.
 *
 * @param crontab a crontab with fixed times
 * @param zone IANA name
 * @param slot unix second
 */
export function isLostAtMidnight(crontab: Crontab, zone: string, slot: number): boolean {
    const offset = offsetAt(zone, slot);
    if (offset <= offsetAt(zone, slot - 1)) return false;
    const wall = slot + offset;
    return wall % DAY === 0 && !showsTime(crontab, wall);
}
