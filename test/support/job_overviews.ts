import type { JobPlan } from '../../lib/jobs/job_plan.js';
import { readSettings } from '../../lib/jobs/settings.js';
import type { JobStatus, PastRun, PastSkips } from '../../lib/runs/history.js';
import type { Pause } from '../../lib/runs/pause.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import type { JobOverview } from '../../lib/views/overview.js';

/** 2026-01-01 00:00:00 UTC, in unix milliseconds. */
export const NOW = 1_767_225_600_000;

/** A run of the past: it succeeded five minutes ago. */
export function pastRun(parts: Partial<PastRun> = {}): PastRun {
    return {
        kind: 'run',
        id: 'one',
        job: 'clean-up',
        schedule: '*/5 * * * *',
        args: [],
        tenant: undefined,
        reason: undefined,
        host: 'here',
        pid: 1,
        scheduledAt: NOW / 1000 - 300,
        manual: false,
        requestedBy: undefined,
        attempt: 1,
        startedAt: NOW - 300_000,
        endedAt: NOW - 297_600,
        lateBy: 0,
        outcome: 'succeeded',
        error: undefined,
        stack: undefined,
        ...parts,
    };
}

/** Three slots that were skipped for overlap. */
export function pastSkips(parts: Partial<PastSkips> = {}): PastSkips {
    const { host, pid, job, schedule, args, tenant } = pastRun();
    const which = { reason: 'overlap', first: 0, last: 0, count: 3, atLeast: false };
    return { kind: 'skips', host, pid, job, schedule, args, tenant, ...which, ...parts };
}

/** A plan without anything special. */
export function planOf(
    name: string,
    schedules: readonly [string, ...unknown[]][] = [],
    parts: Partial<JobPlan> = {},
): JobPlan {
    return {
        name,
        file: `/app/lib/background_jobs/${name}.js`,
        settings: readSettings({}).settings,
        sources: {},
        schedules: schedules.map((declaration) => createSchedule(name, declaration)),
        problems: [],
        runnable: true,
        ...parts,
    };
}

/** A job that waits for its next slot. */
export function overviewOf(plan: JobPlan, parts: Partial<JobOverview> = {}): JobOverview {
    const { name, file } = plan;
    const state = { problems: [], state: 'scheduled', pause: undefined, status: undefined } as const;
    return { name, file, plan, ...state, ...parts };
}

/** A pause of a job that nobody says anything of. */
export function pauseFor(job: string, parts: Partial<Pause> = {}): Pause {
    return { job, pausedAt: NOW, until: undefined, reason: undefined, by: undefined, ...parts };
}

/** How a job has been doing. */
export function statusOf(parts: Partial<JobStatus>): JobStatus {
    return { running: [], ended: [], byHand: [], skipped: undefined, ...parts };
}
