import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Database, MEMORY } from '../../../lib/engines/embedded/database.js';
import { enter, promote } from '../../../lib/engines/embedded/lanes.js';
import { pause, resume } from '../../../lib/engines/embedded/pauses.js';
import {
    abort,
    adopt,
    finish,
    retryLater,
    take,
    waitingBatches,
} from '../../../lib/engines/embedded/queue.js';
import { laneKey, type NewRow, type RunningRow } from '../../../lib/engines/embedded/rows.js';
import { migrate } from '../../../lib/engines/embedded/schema.js';
import { createOwner } from '../../../lib/engines/owner.js';
import { createRun } from '../../../lib/runs/run.js';

const START = 1_767_225_600;

const JOBS = ['a', 'b'];

const operations = fc.array(
    fc.oneof(
        {
            weight: 6,
            arbitrary: fc.record({ kind: fc.constant('enqueue' as const), job: fc.constantFrom(...JOBS) }),
        },
        fc.record({
            kind: fc.constant('catch up' as const),
            job: fc.constantFrom(...JOBS),
            count: fc.integer({ min: 1, max: 5 }),
        }),
        fc.record({ kind: fc.constant('ask' as const), job: fc.constantFrom(...JOBS) }),
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('finish' as const), which: fc.nat() }) },
        fc.record({
            kind: fc.constant('retry' as const),
            which: fc.nat(),
            wait: fc.integer({ min: 0, max: 5 }),
        }),
        fc.record({ kind: fc.constant('abort' as const), which: fc.nat() }),
        fc.record({ kind: fc.constant('die' as const), retries: fc.boolean() }),
        fc.record({
            kind: fc.constantFrom('pause' as const, 'resume' as const),
            job: fc.constantFrom(...JOBS),
        }),
    ),
    { maxLength: 60 },
);

const policies = fc.record({
    overlap: fc.constantFrom('skip' as const, 'queue' as const, 'replace' as const, 'allow' as const),
    missed: fc.constantFrom('skip' as const, 'once' as const, 'all' as const),
});

test('whatever happens, a lane with rows that wait has one head, one run holds it, and every slot has one fate', () => {
    fc.assert(
        fc.property(policies, operations, (policy, steps) => {
            const database = new Database(MEMORY);
            migrate(database);
            const me = createOwner();
            let second = START;
            let running: RunningRow[] = [];
            const slots: [string, number][] = [];
            const now = () => second * 1000;
            const rowOf = (job: string, slot: number | undefined, parts: Partial<NewRow> = {}): NewRow => {
                const run = createRun({
                    job,
                    file: undefined,
                    schedule: '* * * * * *',
                    args: [],
                    tenant: undefined,
                    scheduledAt: slot,
                    manual: slot === undefined,
                });
                return {
                    kind: 'run',
                    run,
                    lane: laneKey('run', run),
                    origin: slot === undefined ? 'waiter' : 'schedule',
                    ...policy,
                    catchesUp: false,
                    batch: slot === undefined ? -1 : second * 2,
                    position: 0,
                    runAt: now(),
                    ...parts,
                };
            };
            for (const step of steps) {
                second += 1;
                promote(database, me, now(), 100);
                const picked =
                    'which' in step ? running[step.which % Math.max(1, running.length)] : undefined;
                if (step.kind === 'enqueue') {
                    slots.push([step.job, second]);
                    enter(database, rowOf(step.job, second), me, now());
                } else if (step.kind === 'catch up') {
                    for (let index = 0; index < step.count; index++, second++) {
                        slots.push([step.job, second]);
                        enter(database, rowOf(step.job, second, { catchesUp: true }), me, now());
                    }
                } else if (step.kind === 'ask') {
                    enter(database, rowOf(step.job, undefined), me, now());
                } else if (step.kind === 'take') {
                    const [batch] = waitingBatches(database);
                    const from = {
                        by: me,
                        now: now(),
                        anything: true,
                        isFull: () => false,
                        knows: () => true,
                        fileOf: () => undefined,
                    };
                    const row = batch === undefined ? undefined : take(database, batch, from);
                    if (row) running.push(row);
                } else if (step.kind === 'pause') pause(database, step.job, me, now());
                else if (step.kind === 'resume') resume(database, step.job, now());
                else if (step.kind === 'die') {
                    adopt(database, me.id, () => (step.retries ? 9 : 0), now());
                    running = [];
                } else if (picked && step.kind === 'finish') {
                    const ending = {
                        outcome: 'succeeded',
                        reason: undefined,
                        error: undefined,
                        stack: undefined,
                        endedAt: now(),
                    };
                    finish(database, picked, ending, me);
                    running = running.filter((row) => row !== picked);
                } else if (picked && step.kind === 'retry') {
                    const texts = { at: now() + step.wait * 1000, error: 'no', stack: undefined };
                    if (retryLater(database, picked, texts, me) === 'waits')
                        running = running.filter((row) => row !== picked);
                } else if (picked && step.kind === 'abort')
                    abort(database, picked.run.id, picked.run.job, 'interrupted', me, now());
                assertLanesAreInOrder(database);
            }
            for (const [job, slot] of slots)
                assert.equal(fatesOf(database, job, slot), 1, `${job} at ${slot - START}`);
            database.close();
        }),
        { numRuns: Number(process.env['RUNS'] ?? 150) },
    );
});

function assertLanesAreInOrder(database: Database): void {
    const lanes = database
        .statement(
            `SELECT job, lane, sum(state = 'blocked') AS blocked, sum(state = 'running') AS running,
                sum(state IN ('running', 'waiting') OR (state = 'delayed' AND attempt > 0)) AS heads
            FROM bot_runs WHERE ended_at IS NULL AND holds = 1 AND (state <> 'delayed' OR attempt > 0)
            GROUP BY job, lane`,
        )
        .all([]);
    for (const lane of lanes) {
        assert.equal(lane['heads'], 1, JSON.stringify(lane));
        assert.ok((lane['running'] as number) <= 1, JSON.stringify(lane));
    }
}

function fatesOf(database: Database, job: string, slot: number): number {
    const count = (sql: string) => (database.statement(sql).get([job, slot])?.['count'] as number) ?? 0;
    return (
        count("SELECT count(*) AS count FROM bot_runs WHERE job = ? AND slot = ? AND origin = 'schedule'") +
        count('SELECT count(*) AS count FROM bot_skips WHERE job = ?1 AND first <= ?2 AND last >= ?2')
    );
}
