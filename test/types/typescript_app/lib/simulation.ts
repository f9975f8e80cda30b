import { simulate } from 'pinstripe-bot/testing';

export async function slots(): Promise<(number | undefined)[]> {
    const runs = await simulate('2026-01-01T00:00:00Z', new Date(), { environment: 'production' });
    return runs.map(({ scheduledAt }) => scheduledAt);
}
