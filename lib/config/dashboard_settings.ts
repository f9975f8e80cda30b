import type { DashboardConfig } from '../../types/bot_config.js';
import { accepting, readObject, type Values } from './options.js';

const readText = accepting<string>(
    (value) => typeof value === 'string' && value !== '',
    'is not a text, or is empty',
);

const OPTIONS = {
    /** Without slashes at its ends. */
    path: {
        default: 'bot',
        read(value: unknown) {
            const path = String(value).replace(/^\/|\/$/g, '');
            if (/^[\w-]+(\/[\w-]+)*$/.test(path) && !/(^|\/)_|--/.test(path)) return path;
            throw new TypeError(`is not a path: write words with slashes between them, like 'admin/bot'`);
        },
    },
    username: { read: readText },
    password: { read: readText },
    authorize: {
        read: accepting<NonNullable<DashboardConfig['authorize']>>(
            (value) => typeof value === 'function',
            `is not a function: write async authorize(){ return (await this.user)?.isAdmin ? 'all' : 'read'; }`,
        ),
    },
    hideArgs: {
        default: [],
        read: accepting<readonly string[]>(
            (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
            `is not a list of names, like ['password']`,
        ),
    },
};

/** The key `dashboard` of the `bot` section, read and complete; false: there is no dashboard. */
export type DashboardSettings = false | Values<typeof OPTIONS>;

/** The dashboard of an app that says nothing about it. */
export const DEFAULT_DASHBOARD: DashboardSettings = readDashboardSettings({});

/**
 * Reads the key `dashboard`.
 *
 * @throws Error whose message follows on the value, and never has a password in it
 */
export function readDashboardSettings(value: unknown): DashboardSettings {
    if (value === false) return false;
    const settings = readObject(
        OPTIONS,
        value,
        'is neither false nor an object: write { username, password }',
    );
    const { username, password, authorize } = settings;
    if (username !== undefined && password === undefined)
        throw new TypeError('has a `username` without a `password`: write both');
    if (username === undefined && password !== undefined)
        throw new TypeError('has a `password` without a `username`: write both');
    if (username !== undefined && authorize)
        throw new TypeError('has `authorize` and `username`: choose one');
    if (username?.includes(':'))
        throw new TypeError('has a `username` with a colon, which no browser can send');
    return settings;
}
