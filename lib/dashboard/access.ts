import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Services } from '../../types/framework.js';
import type { DashboardSettings } from '../config/dashboard_settings.js';
import { readError, traceOf } from '../text/errors.js';
import { printableLines } from '../text/printable.js';

/** What a request may do: everything, only look, nothing; or it has yet to say who asks. */
export type Level = 'all' | 'read' | 'none' | 'unknown';

const OWN_HOST = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const OWN_ADDRESS = /^(?:::ffff:)?127\.|^::1$/;
const PROXY_HEADER = /^(?:x-forwarded-.*|forwarded|x-real-ip)$/;

/** Tells what a request may do. Every page and every action asks this. */
export async function levelOf(
    request: Services,
    settings: Exclude<DashboardSettings, false>,
    environment: string,
): Promise<Level> {
    const { authorize, username, password } = settings;
    const { _headers: headers, _request } = request.initialParams;
    if (authorize) {
        try {
            const level = await authorize.call(request);
            return level === 'all' || level === 'read' ? level : 'none';
        } catch (error) {
            console.error(printableLines(`bot.dashboard.authorize threw: ${traceOf(readError(error))}`));
            return 'none';
        }
    }
    if (username !== undefined && password !== undefined)
        return isLogin(headers['authorization'], `${username}:${password}`) ? 'all' : 'unknown';
    const isOpen = environment === 'development' || environment === 'test';
    return isOpen && isOfThisMachine(headers, _request) ? 'all' : 'none';
}

/** Tells whether a request was made by a page of this origin: a browser sends at least one of these headers with each POST. */
export function isSameOrigin({ _headers: headers, _url }: Services['initialParams']): boolean {
    const site = headers['sec-fetch-site'];
    if (site !== undefined) return site === 'same-origin';
    try {
        return new URL(headers['origin']).host === _url.host;
    } catch {
        return false;
    }
}

// A page of another name that resolves to this machine shows itself by its Host; a proxy by what it adds.
function isOfThisMachine(headers: IncomingHttpHeaders, request: IncomingMessage | undefined): boolean {
    return (
        OWN_ADDRESS.test(request?.socket.remoteAddress ?? '') &&
        OWN_HOST.test(headers.host ?? '') &&
        !Object.keys(headers).some((name) => PROXY_HEADER.test(name))
    );
}

function isLogin(header: unknown, login: string): boolean {
    const [, given = ''] = /^Basic +([\w+/=]+)$/i.exec(String(header)) ?? [];
    // What is compared has one length, whatever was given.
    const digest = (text: string) => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(Buffer.from(given, 'base64').toString()), digest(login));
}
