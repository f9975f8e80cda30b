import { show } from '../text/format.js';
import { hasKeys } from './options.js';

const SCHEMES = ['redis:', 'rediss:'];
const EXAMPLE = `write 'redis://127.0.0.1:6379', or an object of ioredis options, like { host: '127.0.0.1', port: 6379 }`;

/** Options whose values nobody is to read in a log. */
const SECRETS = ['password', 'sentinelPassword'];

const KEY_PREFIX_COMPLAINT = 'has a `keyPrefix`, which BullMQ cannot work with: use `bot.redisPrefix`';

/**
 * Where Redis is, and how to get in: the key `bot.redis` of the config. What it knows is shown by nothing that prints
 * objects, so that no password comes into a log.
 */
export class RedisSettings {
    readonly #url: URL | undefined;
    readonly #options: Readonly<Record<string, unknown>>;

    /**
     * @param value a URL with the scheme `redis:` or `rediss:`, or an object of ioredis options, which may have a `url`
     * @throws TypeError where it is neither; the message has no password
     */
    constructor(value: unknown) {
        const given = typeof value === 'string' ? { url: value } : value;
        if (!hasKeys(given)) throw new TypeError(`is neither a URL nor an object: ${EXAMPLE}`);
        const { url, ...options } = given;
        const { port, db, keyPrefix } = options;
        if (keyPrefix !== undefined) throw new TypeError(KEY_PREFIX_COMPLAINT);
        if (db !== undefined && !(Number.isInteger(db) && (db as number) >= 0))
            throw new TypeError(`has a database, ${show(db)}, that is no whole number from 0 up`);
        if (
            port !== undefined &&
            !(Number.isInteger(Number(port)) && Number(port) > 0 && Number(port) < 65536)
        )
            throw new TypeError(`has a port, ${show(port)}, that is none`);
        this.#url = url === undefined ? undefined : readUrl(url);
        this.#options = options;
    }

    /** Where it is, without user and password: `127.0.0.1:6379/2`. */
    get place(): string {
        const { host = '127.0.0.1', port = 6379, db, path, sentinels, name } = this.#options;
        if (Array.isArray(sentinels)) return `sentinel ${name}`;
        if (typeof path === 'string') return path;
        const url = this.#url;
        const number = String(db ?? url?.pathname.slice(1) ?? '') || '0';
        return `${url?.hostname || host}:${url?.port || port}${number === '0' ? '' : `/${number}`}`;
    }

    /**
     * What ioredis is to be given. There, options in a URL win over others: those that the engine needs are taken out of it.
     *
     * @param ours options that the engine needs; they win
     * @returns the arguments of its constructor
     */
    arguments(ours: Readonly<Record<string, unknown>>): [string, object] | [object] {
        const options = { ...this.#options, ...ours };
        if (this.#url === undefined) return [options];
        const url = new URL(this.#url);
        for (const name of Object.keys(ours)) url.searchParams.delete(name);
        return [url.href, options];
    }

    /** Takes passwords out of a text, such as the message of an error. */
    withoutSecrets(text: string): string {
        const url = this.#url;
        const secrets = [
            url?.password,
            url && decode(url.password),
            ...SECRETS.flatMap((name) => [this.#options[name], ...(url?.searchParams.getAll(name) ?? [])]),
        ];
        return secrets.reduce<string>(
            (shown, secret) =>
                typeof secret === 'string' && secret !== '' ? shown.replaceAll(secret, '…') : shown,
            text,
        );
    }
}

/** Writes what somebody gave for `bot.redis`, for an error message, without what may be a secret. */
export function showRedis(value: unknown): string {
    if (typeof value === 'string') return 'a text';
    if (Array.isArray(value)) return 'an array';
    if (typeof value !== 'object' || value === null) return show(value);
    return `an object with ${Object.keys(value).join(', ') || 'nothing'}`;
}

function readUrl(value: unknown): URL {
    if (typeof value === 'string' && value.includes('#'))
        throw new TypeError('has a # in its URL, which ends it there: in a password, write %23');
    const url = URL.canParse(String(value)) ? new URL(String(value)) : undefined;
    if (!url || !SCHEMES.includes(url.protocol)) throw new TypeError(`is no URL of a Redis: ${EXAMPLE}`);
    if (url.searchParams.has('keyPrefix')) throw new TypeError(KEY_PREFIX_COMPLAINT);
    if (url.pathname.length > 1 && !/^\/\d+$/.test(url.pathname))
        throw new TypeError(
            'names a database that is no number: write one after the port, like redis://host:6379/2',
        );
    return url;
}

function decode(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}
