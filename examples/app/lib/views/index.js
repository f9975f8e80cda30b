import { recentRuns } from '../recent_runs.js';

export default {
    async render() {
        await this.database.visits.insert({ visitedAt: new Date() });
        const { plans, problems } = await this.bot.survey();
        const now = Math.floor(Date.now() / 1000);

        return this.renderHtml`
            <!doctype html>
            <html lang="en">
                <head>
                    <meta charset="utf-8">
                    <meta http-equiv="refresh" content="3">
                    <title>pinstripe-bot</title>
                    <style>
                        body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
                        table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
                        th, td { border-bottom: 1px solid #ddd; padding: 0.25rem 1rem 0.25rem 0; text-align: left; }
                        td:last-child { width: 40%; }
                        .succeeded { color: #176b2c; }
                        .failed { color: #b3261e; }
                    </style>
                </head>
                <body>
                    <h1>Background jobs</h1>
                    <p><a href="/bot">The dashboard</a> has all of this, and more.</p>
                    <table>
                        <tr><th>Job</th><th>Schedule</th><th>Next slot</th><th></th></tr>
                        ${plans.flatMap((plan) => plan.schedules.map((schedule) => this.renderSchedule(plan, schedule, now)))}
                    </table>
                    ${problems.map(({ job, reason }) => this.renderHtml`<p class="failed">${job}: ${reason}</p>`)}

                    <h2>Recent runs</h2>
                    <table>
                        <tr><th>Ended</th><th>Job</th><th>Outcome</th><th></th></tr>
                        ${recentRuns.map((run) => this.renderRun(run))}
                    </table>
                </body>
            </html>
        `;
    },

    renderSchedule({ name, settings }, schedule, now) {
        const { crontab, timezone, args } = schedule;
        return this.renderHtml`
            <tr>
                <td>${name}</td>
                <td><code>${crontab}</code> ${timezone}</td>
                <td>${timeOf(schedule.next(now) * 1000)}</td>
                <td>${settings.description} <code>${args.map((arg) => JSON.stringify(arg)).join(', ')}</code></td>
            </tr>
        `;
    },

    renderRun({ endedAt, job, tenant, outcome, reason, error }) {
        return this.renderHtml`
            <tr>
                <td>${timeOf(endedAt)}</td>
                <td>${job} ${tenant}</td>
                <td class="${outcome}">${outcome}</td>
                <td>${error?.message ?? reason}</td>
            </tr>
        `;
    },
};

function timeOf(milliseconds) {
    return new Date(milliseconds).toLocaleString('en-GB');
}
