import type { AlertSettings } from '../config/alert_settings.js';
import type { Engine, HistoryHost } from '../runs/engine.js';
import type { BotEvent, Emit } from '../runs/events.js';
import type { Run } from '../runs/run.js';
import type { Worker } from '../runs/worker.js';
import { type ErrorRecord, readError } from '../text/errors.js';
import type { Clock } from '../time/clock.js';

/** A run that takes less, in milliseconds, is never slow. */
const LEAST = 1_000;

/** How many of a lane's last runs the median is taken of. */
const MOST_RUNS = 50;

/** With fewer, what is usual is unknown. */
const FEWEST_RUNS = 20;

interface Host extends HistoryHost {
    readonly clock: Clock;
    readonly emit: Emit;
    readonly engine: Pick<Engine, 'history'>;
    readonly worker: Pick<Worker, 'tell'>;
    alertsOf(job: string): AlertSettings;
}

/** Finds slow runs, and calls the hooks for jobs in trouble. */
export class Alerts {
    /** What cancels the watch over an attempt that may become slow, by the id of its run. */
    readonly #watched = new Map<string, () => void>();

    constructor(private readonly host: Host) {}

    hear(event: BotEvent): void {
        const { worker, clock } = this.host;
        switch (event.type) {
            case 'run-started':
                this.#watch(event.run);
                break;
            case 'run-ended':
            case 'run-retrying':
            case 'run-was-lost':
                this.#forget(event.run);
                break;
            case 'run-slow':
                void worker.tell(event.run, 'runSlow', { usual: event.usual, age: event.age });
                break;
            case 'slot-overdue': {
                const { run, by } = event;
                void worker.tell(run, 'slotOverdue', { slot: run.scheduledAt, by });
                break;
            }
            case 'job-failing': {
                const { run, failures } = event;
                void worker.tell(run, 'jobFailing', { failures, error: errorOf(run) });
                break;
            }
            case 'job-recovered': {
                const { run, failures, since } = event;
                const after = (run.endedAt ?? clock.now()) - since;
                void worker.tell(run, 'jobRecovered', { failures, after });
            }
        }
    }

    #watch(run: Run): void {
        const { slow } = this.host.alertsOf(run.job);
        if (slow === false) return;
        const since = this.host.clock.now();
        this.#after(LEAST, run, () => {
            // If the store cannot be read, what is usual is unknown.
            this.#usual(run).then(
                (usual) => usual !== undefined && this.#watchFor(run, { usual, since, slow }),
                () => {},
            );
        });
    }

    #watchFor(run: Run, { usual, since, slow }: { usual: number; since: number; slow: number }): void {
        const { clock, emit } = this.host;
        if (!this.#watched.has(run.id)) return;
        this.#after(slow * usual - (clock.now() - since), run, () =>
            emit({ type: 'run-slow', run, usual, age: clock.now() - since }),
        );
    }

    /** The median duration of the runs of its lane, in milliseconds; undefined: there are too few. */
    async #usual({ job, args, tenant }: Run): Promise<number | undefined> {
        const history = await this.host.engine.history(this.host);
        const durations = await history
            .durations({ job, args, tenant }, MOST_RUNS)
            .finally(() => history.close());
        if (durations.length < FEWEST_RUNS) return undefined;
        return [...durations].sort((a, b) => a - b)[Math.floor(durations.length / 2)];
    }

    #after(delay: number, run: Run, wake: () => void): void {
        this.#watched.set(run.id, this.host.clock.after(Math.max(0, delay), wake));
    }

    #forget({ id }: Run): void {
        this.#watched.get(id)?.();
        this.#watched.delete(id);
    }
}

// A run that is lost has thrown nothing.
function errorOf({ error, outcome, reason }: Run): ErrorRecord {
    return error ?? readError(new Error(`${outcome}: ${reason}`));
}
