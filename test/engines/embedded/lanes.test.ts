import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Database, MEMORY, type SqlValue } from '../../../lib/engines/embedded/database.js';
import { enter, promote } from '../../../lib/engines/embedded/lanes.js';
import { pause, resume } from '../../../lib/engines/embedded/pauses.js';
import {
    abort,
    adopt,
    fanOut,
    finish,
    giveUpWaiting,
    retryLater,
    take,
    waitingBatches,
} from '../../../lib/engines/embedded/queue.js';
import type { NewRow, Step, StoredRow } from '../../../lib/engines/embedded/rows.js';
import { createTables } from '../../../lib/engines/embedded/schema.js';
import { createOwner } from '../../../lib/engines/owner.js';
import { laneKey } from '../../../lib/engines/row.js';
import { createRun } from '../../../lib/runs/run.js';
import { createSchedule } from '../../../lib/schedule/schedule.js';
import { pauseFor } from '../../support/job_overviews.js';

const START = 1_767_225_600;

const schedule = createSchedule('a', ['* * * * * *'], 'UTC');

const job = fc.constantFrom('a', 'b');
const which = fc.nat();
const kindOf = <Kind extends string>(kind: Kind) => ({ kind: fc.constant(kind) });

const operations = fc.array(
    fc.oneof(
        { weight: 6, arbitrary: fc.record({ ...kindOf('enqueue'), job }) },
        fc.record({ ...kindOf('catch up'), job, count: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ ...kindOf('ask'), job }),
        { weight: 4, arbitrary: fc.record(kindOf('take')) },
        { weight: 4, arbitrary: fc.record({ ...kindOf('finish'), which }) },
        fc.record({ ...kindOf('retry'), which, wait: fc.integer({ min: 0, max: 5 }) }),
        fc.record({ ...kindOf('abort'), which }),
        fc.record({ ...kindOf('give up'), job, ago: fc.integer({ min: 0, max: 9 }) }),
        fc.record({ ...kindOf('die'), retries: fc.boolean() }),
        fc.record({ ...kindOf('pause'), job }),
        fc.record({ ...kindOf('resume'), job }),
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
            createTables(database);
            const me = createOwner();
            let second = START;
            let running: StoredRow[] = [];
            const slots: [string, number][] = [];
            const now = () => second * 1000;
            const step = (): Step => ({
                database,
                by: me,
                now: now(),
                consequences: [],
                failingAfter: () => Infinity,
            });
            const rowOf = (job: string, slot: number | undefined, parts: Partial<NewRow> = {}) =>
                newRow(step(), job, slot, { ...policy, ...parts });
            for (const operation of steps) {
                second += 1;
                promote(step(), 100);
                const picked =
                    'which' in operation ? running[operation.which % Math.max(1, running.length)] : undefined;
                if (operation.kind === 'enqueue') {
                    slots.push([operation.job, second]);
                    enter(step(), rowOf(operation.job, second));
                } else if (operation.kind === 'catch up') {
                    for (let index = 0; index < operation.count; index++, second++) {
                        slots.push([operation.job, second]);
                        enter(step(), rowOf(operation.job, second, { catchesUp: true }));
                    }
                } else if (operation.kind === 'ask') {
                    enter(step(), rowOf(operation.job, undefined));
                } else if (operation.kind === 'take') {
                    const [batch] = waitingBatches(step());
                    const what = { most: 1, anything: true, knows: () => true };
                    if (batch !== undefined) running.push(...take(step(), batch, what));
                } else if (operation.kind === 'pause') pause(step(), pauseFor(operation.job));
                else if (operation.kind === 'resume') resume(step(), operation.job);
                else if (operation.kind === 'give up')
                    giveUpWaiting(step(), operation.job, 'slot <= ?', [second - operation.ago], 'too old');
                else if (operation.kind === 'die') {
                    adopt(step(), me.id, () => (operation.retries ? 9 : 0));
                    running = [];
                } else if (picked && operation.kind === 'finish') {
                    finish(step(), picked, { outcome: 'succeeded' });
                    running = running.filter((row) => row !== picked);
                } else if (picked && operation.kind === 'retry') {
                    const texts = { at: now() + operation.wait * 1000, error: 'no' };
                    if (retryLater(step(), picked, texts)) running = running.filter((row) => row !== picked);
                } else if (picked && operation.kind === 'abort') abort(step(), picked.run.id, 'interrupted');
                assertLanesAreInOrder(database);
            }
            for (const [job, slot] of slots)
                assert.equal(fatesOf(database, job, slot), 1, `${job} at ${slot - START}`);
            database.close();
        }),
        { numRuns: Number(process.env['RUNS'] ?? 150) },
    );
});

test('every statement of a step finds its rows by an index', () => {
    const database = new Database(MEMORY);
    createTables(database);
    const plans = new Map<string, string[]>();
    const statement = database.statement.bind(database);
    database.statement = (sql) => {
        const look = (values: readonly SqlValue[]) => {
            const steps = statement(`EXPLAIN QUERY PLAN ${sql}`).all(values);
            plans.set(
                sql,
                steps.map(({ detail }) => String(detail)),
            );
            return values;
        };
        const known = statement(sql);
        return {
            run: (values) => known.run(look(values)),
            get: (values) => known.get(look(values)),
            all: (values) => known.all(look(values)),
            raw: () => ({ all: (values) => known.raw().all(look(values)) }),
        };
    };
    const by = createOwner();
    const step: Step = { database, by, now: START * 1000, consequences: [], failingAfter: () => Infinity };
    const what = { most: 1, anything: true, knows: () => true };
    const takeOne = () => take(step, batch, what)[0] as StoredRow;
    enter(step, newRow(step, 'a', START, { kind: 'slot', missed: 'all', catchesUp: true }));
    const [batch = 0] = waitingBatches(step);
    fanOut(step, takeOne(), ['acme'], 0);
    retryLater(step, takeOne(), { at: step.now });
    promote(step, 1);
    finish(step, takeOne(), { outcome: 'succeeded' });
    take(step, batch, { ...what, knows: () => false });
    adopt(step, by.id, () => 0);
    for (const [sql, plan] of plans)
        for (const detail of plan)
            if (/^SCAN (bot_runs|bot_skips)/.test(detail))
                assert.match(detail, /USING (COVERING )?INDEX/, sql);
    assert.ok(plans.size > 10);
});

function newRow(
    { now }: Step,
    job: string,
    slot: number | undefined,
    { kind = 'run', ...parts }: Partial<NewRow>,
): NewRow {
    const run = createRun({ job, schedule: schedule.text, args: [], scheduledAt: slot });
    return {
        kind,
        run,
        lane: laneKey(kind, run),
        origin: slot === undefined ? 'waiter' : 'schedule',
        overlap: 'skip',
        missed: 'once',
        catchesUp: false,
        batch: slot === undefined ? -1 : now / 500,
        position: 0,
        runAt: now,
        ...parts,
    };
}

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
