/**
 * Writes how many of something there are.
 *
 * @param number how many
 * @param noun what one of them is
 * @returns `'1 job'`, `'2,000 jobs'`
 */
export function count(number: number, noun: string): string {
    return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
