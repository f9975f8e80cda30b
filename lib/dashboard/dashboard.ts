import { LRUCache } from 'lru-cache';
import type { Services } from '../../types/framework.js';
import type { DashboardSettings } from '../config/dashboard_settings.js';
import { View } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import type { Bot } from '../scheduler/bot.js';
import { messageOf } from '../text/errors.js';
import { isSameOrigin, levelOf } from './access.js';
import { actOnJob, actOnRun, BadFormError } from './actions.js';
import { assets } from './assets.js';
import { checkPage } from './check_page.js';
import { type Html, html } from './html.js';
import { jobPage } from './job_page.js';
import { layout } from './layout.js';
import { overviewPage } from './overview_page.js';
import { type Page, type PageRequest, withoutHidden } from './page.js';
import { processesPage } from './processes_page.js';
import { runPage } from './run_page.js';
import { timelinePage } from './timeline_page.js';

type Response = [status: number, headers: Record<string, string>, body: string[]];
type Settings = Exclude<DashboardSettings, false>;

/** A page whose data has not changed is made anew after this long all the same, in milliseconds: time goes on. */
const KEPT_FOR = 15_000;

/** The version of the JSON: it grows when a field changes its meaning, or goes. */
const VERSION = 1;

const HEADERS = {
    'cache-control': 'no-store',
    'content-security-policy':
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    vary: 'Accept',
};

/** Puts the pages at their path. */
export function serveDashboard(settings: Settings): void {
    const kept = new LRUCache<string, { version: string; at: number; response: Response }>({ max: 50 });
    const view = {
        render(this: Services) {
            return answer(this, settings, kept);
        },
    };
    View.register(`${settings.path}/default`, view);
    View.register(`${settings.path}.json`, view);
}

type Kept = LRUCache<string, { version: string; at: number; response: Response }>;

async function answer(services: Services, settings: Settings, kept: Kept): Promise<Response | undefined> {
    const bot: Bot = services['bot'];
    const { _method: method, _url, _headers, ...params } = services.initialParams;
    const { environment } = await bot.survey();
    const level = await levelOf(services, settings, environment);
    if (level === 'none') return undefined;
    const base = `/${settings.path}`;
    if (level === 'unknown') {
        const challenge = { 'www-authenticate': 'Basic realm="background jobs", charset="UTF-8"' };
        return message(base, 401, 'Sign in', 'This page needs a user name and a password.', challenge);
    }
    const isJson = _url.pathname.endsWith('.json') || /^application\/json\b/.test(_headers['accept'] ?? '');
    const path = _url.pathname.slice(base.length).replace(/\.json$/, '');
    const segments = path.split('/').filter(Boolean).map(decode);
    if (method === 'GET' || method === 'HEAD') {
        if (segments[0] === 'assets') return asset(segments);
    } else if (method !== 'POST')
        return message(base, 405, 'Method not allowed', 'Pages take GET and POST requests only.');
    else if (level !== 'all')
        return message(base, 403, 'Not allowed', 'You may look at these pages, but not change anything.');
    else if (!isSameOrigin(services.initialParams))
        return message(base, 403, 'Not allowed', 'This form was not sent from a page of this app.');
    const { rootPath: root } = await services['project'];
    try {
        const history = await bot.history();
        try {
            const request: PageRequest = {
                bot,
                history,
                base,
                root,
                survey: await bot.survey(),
                mayAct: level === 'all',
                query: Object.fromEntries(_url.searchParams),
                now: Date.now(),
                hideArgs: settings.hideArgs,
                by: settings.authorize ? undefined : settings.username,
            };
            if (method === 'POST') return await act(request, segments, params);
            const names = request.survey.plans.map(({ name }) => name);
            const version = `${BackgroundJob.revision} ${await history.version(names)}`;
            const key = `${level} ${isJson} ${_url.pathname}${_url.search}`;
            const known = kept.get(key);
            if (known?.version === version && request.now - known.at < KEPT_FOR)
                return copyOf(known.response);
            const page = await pageAt(request, segments);
            if (!page)
                return message(
                    base,
                    404,
                    'Not found',
                    'There is no such page, or the history no longer has it.',
                );
            const response = isJson
                ? await jsonOf(page, settings)
                : ok(layout(base, path, page), 'text/html; charset=utf-8');
            kept.set(key, { version, at: request.now, response });
            return copyOf(response);
        } finally {
            await history.close();
        }
    } catch (error) {
        if (error instanceof BadFormError) return message(base, 422, 'That cannot be done', error.message);
        const trouble = `The history of the jobs cannot be read now: ${messageOf(error)}`;
        return message(base, 503, 'The history cannot be read', trouble);
    }
}

function pageAt(request: PageRequest, segments: readonly string[]): Promise<Page | undefined> | undefined {
    const [page, job, runs, id] = segments;
    if (page === undefined) return overviewPage(request);
    if (page === 'jobs' && job !== undefined && segments.length === 2) return jobPage(request, job);
    if (page === 'jobs' && job !== undefined && runs === 'runs' && id !== undefined && segments.length === 4)
        return runPage(request, job, id);
    if (segments.length > 1) return undefined;
    if (page === 'timeline') return timelinePage(request);
    if (page === 'processes') return processesPage(request);
    return page === 'check' ? checkPage(request) : undefined;
}

async function act(
    request: PageRequest,
    segments: readonly string[],
    form: Record<string, unknown>,
): Promise<Response> {
    const [page, job, runs, id] = segments;
    if (page !== 'jobs' || job === undefined) throw new BadFormError('There is no such action.');
    const location =
        runs === 'runs' && id !== undefined
            ? await actOnRun(request, job, id, form)
            : await actOnJob(request, job, form);
    return [303, { ...HEADERS, location, 'content-type': 'text/plain' }, ['']];
}

async function jsonOf(page: Page, { hideArgs }: Settings): Promise<Response> {
    const report = withoutHidden({ version: VERSION, ...(await page.json()) }, hideArgs);
    return ok(JSON.stringify(report, null, 4), 'application/json; charset=utf-8');
}

function asset([, version, name = '']: readonly string[]): Response | undefined {
    const text = assets().texts.get(name);
    if (text === undefined || version !== assets().version) return undefined;
    const type = name.endsWith('.css') ? 'text/css' : 'text/javascript';
    const headers = { ...HEADERS, 'cache-control': 'private, max-age=31536000, immutable' };
    return [200, { ...headers, 'content-type': `${type}; charset=utf-8` }, [text]];
}

function ok(text: string, type: string): Response {
    return [200, { ...HEADERS, 'content-type': type }, [text]];
}

function message(
    base: string,
    status: number,
    title: string,
    text: string,
    more: Record<string, string> = {},
): Response {
    const body: Html = html`<h1>${title}</h1><p class="lead">${text}</p><p><a href="${base}">All jobs</a></p>`;
    const headers = { ...HEADERS, ...more, 'content-type': 'text/html; charset=utf-8' };
    return [status, headers, [layout(base, ' ', { title, body })]];
}

// The framework adds an ETag to the headers that it is given.
function copyOf([status, headers, body]: Response): Response {
    return [status, { ...headers }, body];
}

function decode(segment: string): string {
    try {
        return decodeURIComponent(segment);
    } catch {
        return segment;
    }
}
