import { hasKeys, unknownKey } from '../config/options.js';

/** What a monitor is told of a run: that it starts, that it succeeded, that it failed for good. */
export type Ping = 'start' | 'success' | 'fail';

type Addresses = Readonly<Partial<Record<Ping, URL>>>;

const PINGS: Readonly<Record<Ping, true>> = { start: true, success: true, fail: true };
const TENANT = /\{tenant\}|%7Btenant%7D/g;

/** The setting `heartbeat`. Whoever has an address can ping it: what prints this object prints hosts. */
export class Heartbeat {
    readonly #addresses: Addresses;

    /** @throws TypeError whose message follows on the setting's name; no address is in it */
    constructor(value: unknown) {
        this.#addresses = typeof value === 'string' ? addressesBelow(value) : readAddresses(value);
    }

    /** The address to ping; undefined: none, or only one of a tenant that the run does not have. */
    address(ping: Ping, tenant: string | number | undefined): string | undefined {
        const address = this.#addresses[ping]?.href;
        if (tenant === undefined) return address?.match(TENANT) ? undefined : address;
        return address?.replace(TENANT, encodeURIComponent(tenant));
    }

    /** Its hosts. */
    toString(): string {
        return [...new Set(Object.values(this.#addresses).map(({ host }) => host))].join(', ');
    }

    toJSON(): string {
        return String(this);
    }
}

function readAddresses(value: unknown): Addresses {
    if (!hasKeys(value)) throw new TypeError('is neither an address nor an object: write { success, fail }');
    const unknown = unknownKey(PINGS, value);
    if (unknown) throw new TypeError(`has the ${unknown}`);
    const given = Object.entries(value).filter(([, address]) => address !== undefined);
    if (given.length === 0)
        throw new TypeError('has no address: write { start, success, fail }, or some of these');
    return Object.fromEntries(
        given.map(([ping, address]) => [ping, readAddress(address, `has a \`${ping}\` that `)]),
    );
}

// As healthchecks.io wants it.
function addressesBelow(value: string): Addresses {
    const success = readAddress(value, '');
    const below = (name: string) => {
        const url = new URL(success);
        url.pathname = `${url.pathname.replace(/\/$/, '')}/${name}`;
        return url;
    };
    return { start: below('start'), success, fail: below('fail') };
}

function readAddress(value: unknown, subject: string): URL {
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
    if (!url || !/^https?:$/.test(url.protocol))
        throw new TypeError(`${subject}is no address: write one like 'https://hc-ping.com/...'`);
    if (url.username || url.password)
        throw new TypeError(`${subject}has a user or a password in it, which cannot be sent`);
    return url;
}
