import { LRUCache } from 'lru-cache';
import type { Services } from '../../types/framework.js';
import type { DashboardSettings } from '../config/dashboard_settings.js';
import { View } from '../framework.js';
import { BackgroundJob } from '../jobs/background_job.js';
import type { Bot } from '../scheduler/bot.js';
import { messageOf } from '../text/errors.js';
import { isSameOrigin, levelOf } from './access.js';
import { actOnJob, actOnRun, type Form } from './actions.js';
import { assets } from './assets.js';
import { checkPage } from './check_page.js';
import { html } from './html.js';
import { jobPage } from './job_page.js';
import { overviewPage } from './overview_page.js';
import { jobPath, layout, type Page, type PageRequest, withoutHidden } from './page.js';
import { processesPage } from './processes_page.js';
import { runPage } from './run_page.js';
import { timelinePage } from './timeline_page.js';

type Response = [status: number, headers: Record<string, string>, body: string[]];
type Settings = Exclude<DashboardSettings, false>;

/** The last answers, by level and address. */
type Kept = LRUCache<string, { version: string; at: number; response: Response }>;

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
    const kept: Kept = new LRUCache({ max: 50 });
    const view = {
        render(this: Services) {
            return answer(this, settings, kept);
        },
    };
    View.register(`${settings.path}/default`, view);
    View.register(`${settings.path}.json`, view);
}

async function answer(services: Services, settings: Settings, kept: Kept): Promise<Response | undefined> {
    const bot: Bot = services['bot'];
    const { _method: method, _url, _headers, ...form } = services.initialParams;
    const survey = await bot.survey();
    const level = await levelOf(services, settings, survey.environment);
    if (level === 'none') return undefined;
    const base = `/${settings.path}`;
    const isJson = _url.pathname.endsWith('.json') || /^application\/json\b/.test(_headers['accept'] ?? '');
    const refuse = (...what: [status: number, title: string, text: string]) =>
        refusal({ base, isJson, back: base }, ...what);
    if (level === 'unknown') {
        const [status, headers, body] = refuse(401, 'Sign in', 'This page needs a user name and a password.');
        const challenge = 'Basic realm="background jobs", charset="UTF-8"';
        return [status, { ...headers, 'www-authenticate': challenge }, body];
    }
    const path = _url.pathname.slice(base.length).replace(/(\.json|\/)$/, '');
    const isPost = method === 'POST';
    if (!isPost && method !== 'GET' && method !== 'HEAD')
        return refuse(405, 'Method not allowed', 'Pages take GET and POST requests only.');
    if (!isPost && path.startsWith('/assets/')) return asset(path);
    if (isPost && level !== 'all')
        return refuse(403, 'Not allowed', 'You may look at these pages, but not change anything.');
    if (isPost && !isSameOrigin(services.initialParams))
        return refuse(403, 'Not allowed', 'This form was not sent from a page of this app.');
    const { rootPath: root } = await services['project'];
    try {
        const history = await bot.history();
        const request: PageRequest = {
            bot,
            history,
            survey,
            base,
            path,
            root,
            mayAct: level === 'all',
            isJson,
            query: Object.fromEntries(_url.searchParams),
            now: Date.now(),
            hideArgs: settings.hideArgs,
            by: settings.authorize ? undefined : settings.username,
        };
        const work = isPost ? act(request, form) : show(request, kept);
        return await work.finally(() => history.close());
    } catch (error) {
        const trouble = `The history of the jobs cannot be read now: ${messageOf(error)}`;
        return refuse(503, 'The history cannot be read', trouble);
    }
}

async function show(request: PageRequest, kept: Kept): Promise<Response> {
    const { base, path, history, survey, mayAct, isJson, query, now, hideArgs } = request;
    const names = survey.plans.map(({ name }) => name);
    const version = `${BackgroundJob.revision} ${await history.version(names)}`;
    const key = JSON.stringify([mayAct, isJson, path, query]);
    const known = kept.get(key);
    if (known?.version === version && now - known.at < KEPT_FOR) return copyOf(known.response);
    const page = await pageAt(request);
    if (!page) {
        const text = 'There is no such page, or the history no longer has it.';
        return refusal({ base, isJson, back: base }, 404, 'Not found', text);
    }
    const response = isJson
        ? ok('application/json', await jsonOf(page, hideArgs))
        : ok('text/html', layout(base, path, page));
    kept.set(key, { version, at: now, response });
    return copyOf(response);
}

const PAGES: Readonly<Record<string, (request: PageRequest) => Promise<Page>>> = {
    '': overviewPage,
    '/timeline': timelinePage,
    '/processes': processesPage,
    '/check': checkPage,
};

async function pageAt(request: PageRequest): Promise<Page | undefined> {
    const { job, run } = placeOf(request);
    if (job === undefined) return PAGES[request.path]?.(request);
    return run === undefined ? jobPage(request, job) : runPage(request, job, run);
}

async function act(request: PageRequest, form: Form): Promise<Response> {
    const { job, run } = placeOf(request);
    try {
        if (job === undefined) throw new Error('There is no such action.');
        const acting = run === undefined ? actOnJob(request, job, form) : actOnRun(request, job, run, form);
        return [303, { ...HEADERS, location: await acting, 'content-type': 'text/plain' }, ['']];
    } catch (error) {
        const back = job === undefined ? request.base : jobPath(request, job);
        return refusal({ ...request, back }, 422, 'That cannot be done', messageOf(error));
    }
}

/** The job, and the run, whose page it is. */
function placeOf({ path }: PageRequest): { job?: string | undefined; run?: string | undefined } {
    const [, job, run] = /^\/jobs\/([^/]+)(?:\/runs\/([^/]+))?$/.exec(path) ?? [];
    return { job: job && decode(job), run: run && decode(run) };
}

async function jsonOf(page: Page, hideArgs: readonly string[]): Promise<string> {
    return JSON.stringify(withoutHidden({ version: VERSION, ...(await page.json()) }, hideArgs), null, 4);
}

function asset(path: string): Response | undefined {
    const [, , version, name = ''] = path.split('/');
    const text = assets().texts.get(name);
    if (text === undefined || version !== assets().version) return undefined;
    const [status, headers, body] = ok(name.endsWith('.css') ? 'text/css' : 'text/javascript', text);
    return [status, { ...headers, 'cache-control': 'private, max-age=31536000, immutable' }, body];
}

function ok(type: string, text: string): Response {
    return [200, { ...HEADERS, 'content-type': `${type}; charset=utf-8` }, [text]];
}

/** Says why there is no such page, or why nothing was done, and where to go on. */
function refusal(
    { base, isJson, back }: Pick<PageRequest, 'base' | 'isJson'> & { readonly back: string },
    status: number,
    title: string,
    text: string,
): Response {
    const link = html`<a href="${back}">${back === base ? 'All jobs' : 'Back to the job'}</a>`;
    const body = html`<h1>${title}</h1><p class="lead">${text}</p><p>${link}</p>`;
    const [, headers, page] = isJson
        ? ok('application/json', JSON.stringify({ version: VERSION, status, title, message: text }, null, 4))
        : ok('text/html', layout(base, ' ', { title, body }));
    return [status, headers, page];
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
