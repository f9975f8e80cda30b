import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CROWD, type CrowdOptions, crowds } from '../../lib/check/crowd.js';
import { createSchedule, type Schedule } from '../../lib/schedule/schedule.js';

const OPTIONS: CrowdOptions = {
    timezone: 'UTC',
    firstOfMonth: Date.UTC(2026, 11, 1) / 1000,
    concurrency: 1,
};

describe('jobs that are due in one second', () => {
    test('are told of from ten on, with their names and the first such second', () => {
        assert.deepEqual(crowds(jobs(CROWD - 1, '0 0 * * *'), OPTIONS), []);
        const [crowd, ...others] = crowds(jobs(CROWD, '0 0 * * *'), OPTIONS);
        assert.deepEqual(others, []);
        assert.equal(
            crowd?.message,
            '10 jobs are due in one second, such as 2026-12-01 00:00:00: ' +
                'job-0, job-1, job-2, job-3, job-4, job-5, job-6, job-7, job-8, job-9',
        );
        assert.deepEqual([crowd?.severity, crowd?.rule, crowd?.job], ['warning', 'crowd', undefined]);
    });

    test('may have schedules of all kinds, and zones of their own', () => {
        const mixed = [
            ...jobs(3, '0 6 * * *'),
            ...jobs(3, '*/10 * * * *', { prefix: 'often' }),
            ...jobs(2, '0 6 1 * *', { prefix: 'monthly' }),
            ...jobs(2, '0 7 * * 2', { prefix: 'weekly', timezone: 'Europe/Berlin' }),
        ];
        const [crowd] = crowds(mixed, OPTIONS);
        assert.match(crowd?.message ?? '', /^10 jobs .* 2026-12-01 06:00:00: /);
    });

    test('are told of as two crowds, where these are different jobs', () => {
        const two = [...jobs(10, '0 3 * * *'), ...jobs(11, '0 4 * * *', { prefix: 'late' })];
        assert.deepEqual(
            crowds(two, OPTIONS).map(({ message }) => /^\d+ .*(\d\d:\d\d):00: /.exec(message)?.[1]),
            ['04:00', '03:00'],
        );
    });

    test('count as jobs, not as schedules', () => {
        const one = Array.from({ length: 20 }, (_, index) =>
            createSchedule('one', ['0 0 * * *', index], 'UTC'),
        );
        assert.deepEqual(crowds(one, OPTIONS), []);
    });

    test('are no crowd where so many may run at once, or within each minute', () => {
        assert.deepEqual(crowds(jobs(12, '0 0 * * *'), { ...OPTIONS, concurrency: 12 }), []);
        assert.deepEqual(crowds(jobs(12, '*/5 * * * * *'), OPTIONS), []);
    });

    test('are named up to twenty', () => {
        const [crowd] = crowds(jobs(25, '0 0 * * *'), OPTIONS);
        assert.match(crowd?.message ?? '', /^25 jobs .* and 5 more$/);
    });
});

function jobs(
    count: number,
    crontab: string,
    { prefix = 'job', timezone = 'UTC' }: { prefix?: string; timezone?: string } = {},
): Schedule[] {
    return Array.from({ length: count }, (_, index) =>
        createSchedule(`${prefix}-${index}`, [crontab], timezone),
    );
}
