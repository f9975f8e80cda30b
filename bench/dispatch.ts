import { answerOf } from './child.js';
import type { DispatchFigures } from './measure_dispatch.js';
import { show, type Table } from './table.js';

/** What a run through our whole path may cost, against the framework's own `Job.run`. */
const AIM = 1.25;

/** Measures an empty job through the whole path: claim in memory, workspace, signal, outcome, event. */
export async function dispatchTables(): Promise<Table[]> {
    const { workspace, frameworkJob, backgroundJob, recordedJob } =
        await answerOf<DispatchFigures>('./measure_dispatch.js');
    const row = (name: string, each: number) => [
        name,
        show(each, 'µs'),
        `${(each / workspace).toFixed(2)} times`,
        `${(each / frameworkJob).toFixed(2)} times`,
    ];
    return [
        {
            title: 'An empty run',
            columns: ['', 'one run', 'over an empty `Workspace.run`', "over the framework's `Job.run`"],
            rows: [
                row('an empty `Workspace.run`', workspace),
                row("the framework's `Job.run` of an empty job", frameworkJob),
                row(
                    'pinstripe-bot: turn, lane, claim in memory, workspace, signal, outcome, event',
                    backgroundJob,
                ),
                row('the same, recorded in a journal in memory', recordedJob),
            ],
            notes: [
                `Aim, without a journal: at most ${AIM} times the framework's \`Job.run\`: ${backgroundJob <= AIM * frameworkJob ? 'met' : '**not met**'}.`,
            ],
        },
    ];
}
