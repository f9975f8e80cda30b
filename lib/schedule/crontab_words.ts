/**
 * Says what a crontab means, in English and on a clock of 24 hours. What says it is loaded by the first call.
 *
 * @param crontab five or six fields or a nickname, without `CRON_TZ=`
 * @returns a promise of `'At 02:00, every day'`, or of the crontab itself where there are no words for it
 */
export async function describeCrontab(crontab: string): Promise<string> {
    const { default: cronstrue } = await import('cronstrue');
    try {
        const words = cronstrue.toString(crontab, { use24HourTimeFormat: true });
        return TIMES_ALONE.test(words) ? `${words}, every day` : words;
    } catch {
        return crontab;
    }
}

/** cronstrue's own way to say so, `verbose`, would make "every hour, every day" of each hour, too. */
const TIMES_ALONE = /^At [\d:, and]+$/;
