import type { DashboardConfig } from '../../types/bot_config.js';
import { hasKeys, type Options, readOptions, unknownKey } from './options.js';

/** The key `dashboard` of the `bot` section, read and complete; false: there is none. */
export type DashboardSettings = false | Dashboard;

interface Dashboard extends Pick<DashboardConfig, 'username' | 'password' | 'authorize'> {
    /** Without slashes at its ends. */
    readonly path: string;
    /** What is called so in args is not shown. */
    readonly hideArgs: readonly string[];
}

const OPTIONS: Options<Dashboard> = {
    path: {
        default: 'bot',
        read(value) {
            const path = String(value).replace(/^\/|\/$/g, '');
            if (/^[\w-]+(\/[\w-]+)*$/.test(path) && !/(^|\/)_|--/.test(path)) return path;
            throw new TypeError(`is no path: write words with slashes between them, like 'admin/bot'`);
        },
    },
    username: { default: undefined, read: readText },
    password: { default: undefined, read: readText },
    authorize: {
        default: undefined,
        read(value) {
            if (typeof value === 'function') return value as Dashboard['authorize'];
            throw new TypeError(
                `is no function: write async authorize(){ return (await this.user)?.isAdmin ? 'all' : 'read'; }`,
            );
        },
    },
    hideArgs: {
        default: [],
        read(value) {
            if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
            throw new TypeError(`is no list of names, like ['password']`);
        },
    },
};

/** The dashboard of an app that says nothing about it. */
export const DEFAULT_DASHBOARD: DashboardSettings = readOptions(OPTIONS, {}, () => {});

/**
 * Reads the key `dashboard`.
 *
 * @throws Error whose message follows on the value; a password is in none
 */
export function readDashboardSettings(value: unknown): DashboardSettings {
    if (value === false) return false;
    if (!hasKeys(value)) throw new TypeError('is neither false nor an object: write { username, password }');
    const unknown = unknownKey(OPTIONS, value, 'bot.dashboard.');
    if (unknown) throw new TypeError(`has the ${unknown}`);
    const settings = readOptions(OPTIONS, value, (key, _, complaint) => {
        throw new TypeError(`has a \`${key}\` that ${complaint}`);
    });
    const { username, password, authorize } = settings;
    if ((username === undefined) !== (password === undefined))
        throw new TypeError(
            `has ${username === undefined ? 'a `password` without a `username`' : 'a `username` without a `password`'}: write both`,
        );
    if (username !== undefined && authorize)
        throw new TypeError('has `authorize` and `username`: choose one');
    if (username?.includes(':'))
        throw new TypeError('has a `username` with a colon, which no browser can send');
    return settings;
}

function readText(value: unknown): string {
    if (typeof value === 'string' && value !== '') return value;
    throw new TypeError('is no text, or an empty one');
}
