import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { simulate } from '../../lib/testing.js';
import type { BackgroundJobClass } from '../../types/background_job.js';
import { registerJobs } from '../support/scenario.js';

const ZONES = ['UTC', 'Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'];
const FROM = Date.parse('2026-01-01T00:00:00Z');
const TO = Date.parse('2027-01-01T00:00:00Z');

const crontabs = Array.from({ length: 50 }, (_, index) => {
    const [minute, hour, day] = [(index * 7) % 60, index % 24, 1 + (index % 28)];
    if (index < 4) return `${minute} */6 * * *`;
    if (index < 30) return `${minute} ${hour} * * *`;
    return index < 40 ? `${minute} ${hour} * * MON` : `${minute} ${hour} ${day} * *`;
});

test('a simulated year of 50 schedules: each slot runs once, in order, on time', async () => {
    registerJobs(
        Object.fromEntries(
            crontabs.map((crontab, index) => [
                `job-${index}`,
                {
                    meta(this: BackgroundJobClass) {
                        this.schedule(crontab);
                    },
                    timezone: ZONES[index % ZONES.length] as string,
                    run() {},
                },
            ]),
        ),
    );
    const runs = await simulate(FROM, TO);

    const expected = crontabs.flatMap((crontab, index) => {
        const schedule = createSchedule(`job-${index}`, [crontab], ZONES[index % ZONES.length]);
        const slots: string[] = [];
        for (
            let slot = schedule.next(FROM / 1000 - 1);
            slot !== undefined && slot < TO / 1000;
            slot = schedule.next(slot)
        ) {
            slots.push(`${slot} job-${index}`);
        }
        return slots;
    });
    assert.ok(expected.length > 10_000);
    assert.deepEqual(
        runs.map(({ scheduledAt, job }) => `${scheduledAt} ${job}`),
        expected.sort(),
    );
    assert.ok(
        runs.every(
            ({ outcome, startedAt = 0, scheduledAt = 0 }) =>
                outcome === 'succeeded' && startedAt === scheduledAt * 1000,
        ),
    );
});
