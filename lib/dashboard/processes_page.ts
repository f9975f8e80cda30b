import { runtimeOf } from '../scheduler/bot.js';
import { isoMoment, isoSecond } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { html } from './html.js';
import { badge, factList, momentOf, type Page, type PageRequest, runPath, table, timeTag } from './page.js';

/** The processes that share a history, the engine, and the clocks. */
export async function processesPage(request: PageRequest): Promise<Page> {
    const { history, bot, survey, now } = request;
    const [processes, running] = await Promise.all([history.processes(), history.running()]);
    const { engine } = runtimeOf(bot);
    const facts: [string, string][] = [
        ['Engine', engine.description],
        ['This process', `${process.pid}, Node ${process.version}, NODE_ENV ${survey.environment}`],
        ['Its clock', `${momentOf(request, now)} (${survey.timezone ?? processTimezone()})`],
    ];
    const rows = processes.map(({ host, pid, release, startedAt, beatAt, enqueuedUntil, isGone }) => {
        const own = running.filter((run) => run.pid === pid && run.host === host);
        return [
            html`${pid} on ${host} ${isGone && badge('lost', ': gone')}`,
            enqueuedUntil === undefined ? 'worker' : 'scheduler, worker',
            release ?? '-',
            timeTag(request, startedAt),
            timeTag(request, beatAt ?? (enqueuedUntil && enqueuedUntil * 1000)),
            html`${own.map((run) => html`<a href="${runPath(request, run)}">${run.job}</a> `)}`,
        ];
    });
    return {
        title: 'Processes',
        body: html`<h1>Processes</h1>
            ${factList(facts)}
            ${table('Processes', ['Process', 'Role', 'Release', 'Started', 'Last sign of life', 'Runs in hand'], rows)}`,
        json: () => ({
            engine: engine.description,
            processes: processes.map(({ release = null, startedAt, beatAt, enqueuedUntil, ...one }) => ({
                ...one,
                release,
                startedAt: isoMoment(startedAt),
                beatAt: beatAt === undefined ? null : isoMoment(beatAt),
                enqueuedUntil: enqueuedUntil === undefined ? null : isoSecond(enqueuedUntil),
            })),
        }),
    };
}
