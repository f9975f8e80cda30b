import type { Ping } from '../jobs/heartbeat.js';
import type { Problem } from '../jobs/problem.js';
import type { ErrorRecord } from '../text/errors.js';
import type { Run } from './run.js';

/** Why a process ends before its runs: somebody's second signal, or a job that exits. */
export type GiveUpReason = 'interrupted' | 'process exited';

/** What is wrong with the journal; the log says what each means, and what is done about it. */
export type JournalTrouble =
    | 'locked'
    | 'newer'
    | 'set aside'
    | 'replaced'
    | 'unwritable'
    | 'required'
    | 'back';

/** Everything that can happen. Ages and delays are in milliseconds; slots, and the times of the clock, in unix seconds. */
export type BotEvent =
    | { type: 'bot-started'; jobs: number; schedules: number; next: number | undefined; engine: string }
    | { type: 'bot-stopping'; runs: number }
    | { type: 'bot-stopped' }
    | { type: 'exit-forced'; resources: readonly string[] }
    | { type: 'exit-with-runs'; runs: readonly Run[] }
    | { type: 'job-invalid'; problem: Problem }
    | { type: 'files-not-imported'; message: string }
    | { type: 'timezone-unreadable'; message: string }
    | { type: 'run-started'; run: Run }
    | { type: 'run-retrying'; run: Run; error: ErrorRecord; delay: number }
    | { type: 'run-ended'; run: Run }
    | { type: 'run-ignores-signal'; run: Run; reason: string; age: number }
    | { type: 'run-abandoned'; run: Run; age: number }
    | { type: 'lane-blocked'; run: Run; skips: number; age: number }
    | {
          type: 'slots-unrun';
          job: string;
          reason: string;
          count: number;
          atLeast: boolean;
          first: number;
          last: number;
      }
    | { type: 'run-was-lost'; run: Run }
    | { type: 'journal-trouble'; trouble: JournalTrouble; path: string; detail: string }
    | { type: 'redis-away'; place: string; detail: string }
    | { type: 'redis-back'; place: string; after: number }
    | { type: 'engine-failed'; error: ErrorRecord }
    | { type: 'clock-differs'; by: number }
    | { type: 'clock-gap'; after: number; now: number }
    | { type: 'clock-set-back'; from: number; to: number; adopted: boolean }
    | { type: 'stray-error'; run: Run; error: ErrorRecord }
    | { type: 'cleanup-failed'; run: Run; error: ErrorRecord }
    | { type: 'hook-failed'; run: Run; hook: string; error: ErrorRecord }
    /** This many runs of its job and tenant failed in a row; the first ended at `since`, in unix milliseconds. */
    | { type: 'job-failing'; run: Run; failures: number; since: number }
    /** It succeeded after these. */
    | { type: 'job-recovered'; run: Run; failures: number; since: number }
    | { type: 'run-slow'; run: Run; age: number; usual: number }
    | { type: 'unhealthy'; faults: readonly string[] }
    | { type: 'healthy-again'; after: number }
    /** A process handles a slot this late, the oldest of its job; the run stands for those it would have had. */
    | { type: 'slot-overdue'; run: Run; by: number }
    | { type: 'heartbeat-failed'; job: string; host: string; ping: Ping; reason: string }
    | { type: 'listener-failed'; to: string; error: ErrorRecord };

/** Reports an event. */
export type Emit = (event: BotEvent) => void;
