import { relative } from 'node:path';
import { checkApp } from '../check/check.js';
import { asJson } from '../check/report.js';
import { count } from '../text/format.js';
import { html } from './html.js';
import { badge, jobPath, type Page, type PageRequest } from './page.js';

/** What `check-background-jobs` finds. */
export async function checkPage(request: PageRequest): Promise<Page> {
    const { root, now } = request;
    const report = await checkApp(root, Math.floor(now / 1000));
    const items = report.findings.map(({ severity, job, file, line, message, cure }) => {
        const place = file && `${relative(root, file)}${line === undefined ? '' : `:${line}`}`;
        return html`<li>${badge(severity)} ${job && html`<a href="${jobPath(request, job)}">${job}</a>`} <code>${place}</code>
            <p>${message.replaceAll(`${root}/`, '')}</p><p>Cure: ${cure}</p></li>`;
    });
    return {
        title: 'Check',
        body: html`<h1>Check</h1><p class="lead">${count(report.jobs, 'background job')}, ${count(report.schedules, 'schedule')}: ${items.length === 0 ? 'nothing wrong' : count(items.length, 'finding')}.</p><ul class="findings">${items}</ul>`,
        json: () => asJson(report),
    };
}
