/**
 * Writes how many of something there are.
 *
 * @param number how many
 * @param noun what one of them is
 * @returns `'1 job'`, `'2 jobs'`
 */
export function count(number: number, noun: string): string {
    return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
