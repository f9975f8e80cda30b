import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { asText } from '../../lib/check/report.js';
import { DEFAULT_ALERTS } from '../../lib/config/alert_settings.js';
import { readSettings } from '../../lib/jobs/settings.js';
import { previewDays } from '../../lib/schedule/preview.js';
import { createSchedule } from '../../lib/schedule/schedule.js';
import { renderJobTable } from '../../lib/views/job_list.js';
import type { Overview } from '../../lib/views/overview.js';
import { printHistoryNote } from '../../lib/views/page.js';
import { renderDay } from '../../lib/views/preview.js';
import { summarise } from '../../lib/views/requested_runs.js';
import { NOW, overviewOf, pastRun, pastSkips, planOf, statusOf } from '../support/job_overviews.js';

process.env['TZ'] = 'UTC';
const { renderJobPage } = await import('../../lib/views/job_page.js');
const { settingsInForce } = await import('../../lib/views/settings_in_force.js');

/** Clears the screen, by both kinds of escapes, and has two lines. */
const NASTY = 'a\u001b[2J\u009b2Jb\r\nfaked line\u2028';

const FILE = `/app/lib/${NASTY}.js`;
const problem = {
    job: NASTY,
    file: FILE,
    line: 1,
    reason: NASTY,
    cure: NASTY,
    kind: 'no-run',
    severity: 'error',
} as const;
const past = [
    pastRun({
        outcome: 'failed',
        tenant: NASTY,
        args: [NASTY],
        reason: NASTY,
        error: NASTY,
        stack: `    at x (${FILE}:1:2)`,
    }),
    pastSkips({ tenant: NASTY, args: [NASTY], reason: NASTY, count: 1 }),
    pastSkips({ reason: NASTY, count: 2 }),
];
const schedule = createSchedule(NASTY, ['0 2 * * *', NASTY], 'UTC');
const { settings } = readSettings({ description: NASTY, environments: [NASTY] });
const plan = planOf(NASTY, [], { file: FILE, settings, schedules: [schedule], sources: {} });
const job = overviewOf(plan, { problems: [problem], status: statusOf({ ended: [past[0] as never] }) });
const options = { now: NOW, timezone: 'UTC', width: Infinity, root: '/app', environment: 'test' };
const stretch = { from: NOW / 1000, to: NOW / 1000 + 86_400 };
const run = { ...past[0], outcome: 'failed' } as never;

/** What each view prints of the same app. */
const VIEWS: Record<string, () => Promise<readonly string[]>> = {
    'show-background-job': () =>
        renderJobPage(
            {
                job,
                settings: settingsInForce(plan, {
                    timezone: 'UTC',
                    alerts: DEFAULT_ALERTS,
                    hasTenants: false,
                }),
                past,
                waiting: [],
            },
            options,
        ),
    'list-background-jobs': () => renderJobTable([job], { ...options, next: 1 }),
    'preview-background-jobs': async () =>
        (
            await Promise.all(
                previewDays([schedule], stretch, 'UTC').map((day) =>
                    renderDay(day, { timezone: 'UTC', width: Infinity, notes: new Map() }),
                ),
            )
        ).flat(),
    'check-background-jobs': async () =>
        asText(
            {
                findings: [{ ...problem, rule: 'no-run', schedule: NASTY, message: NASTY }],
                jobs: 1,
                schedules: 1,
            },
            '/app',
            1_000,
        ).split('\n'),
    'run-background-job': async () => summarise([run, run]).split('\n'),
    'a history that cannot be read': async () => {
        const error = mock.method(console, 'error', () => {});
        printHistoryNote({ isHistoryShared: true, historyTrouble: NASTY } as Overview);
        const lines = error.mock.calls.flatMap((call) => String(call.arguments[0]).split('\n'));
        mock.restoreAll();
        return lines;
    },
};

describe('what others have written is written out by', () => {
    for (const [view, print] of Object.entries(VIEWS)) {
        test(view, async () => {
            const lines = await print();
            assert.ok(lines.some((line) => line.includes('a\\u001b[2J\\u009b2Jb')));
            for (const line of lines) {
                assert.doesNotMatch(line, /\p{Cc}|\u2028/u);
                assert.doesNotMatch(line, /^faked line/);
            }
        });
    }
});
