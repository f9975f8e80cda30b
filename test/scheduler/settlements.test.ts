import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Settlements } from '../../lib/scheduler/settlements.js';
import { periodic } from '../support/periodic_schedule.js';

const schedule = periodic('tick', 1, 0);

describe('settlements', () => {
    let settled: number[];
    let settlements: Settlements;

    beforeEach(() => {
        settled = [];
        settlements = new Settlements((_schedule, until) => settled.push(until));
    });

    test('a schedule is settled when each run of its slots is decided, and no more will come', () => {
        const settlement = settlements.begin(schedule, 5);
        const [first, second] = [settlement.expect(), settlement.expect()];
        first();
        first();
        settlement.complete();
        assert.deepEqual(settled, []);
        second();
        assert.deepEqual(settled, [5]);
    });

    test('an earlier slot that waits holds back the later ones', () => {
        const early = settlements.begin(schedule, 5);
        const decided = early.expect();
        early.complete();
        settlements.begin(schedule, 6).complete();
        settlements.begin(schedule, 7).complete();
        assert.deepEqual(settled, []);
        decided();
        assert.deepEqual(settled, [7]);
    });

    test('schedules do not wait for one another', () => {
        settlements.begin(schedule, 5).expect();
        settlements.begin(periodic('tock', 1, 0), 6).complete();
        assert.deepEqual(settled, [6]);
    });

    test('what is decided after they were cleared does not count', () => {
        const settlement = settlements.begin(schedule, 5);
        settlements.clear();
        settlement.complete();
        settlements.begin(schedule, 4).complete();
        assert.deepEqual(settled, [4]);
    });
});
