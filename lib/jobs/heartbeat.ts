import { readObject } from '../config/options.js';

const ADDRESSES = {
    start: { read: readAddress },
    success: { read: readAddress },
    fail: { read: readAddress },
};
const TENANT = /\{tenant\}|%7Btenant%7D/g;

/** What a monitor is told about a run: that it starts, that it has succeeded, that it has failed for good. */
export type Ping = keyof typeof ADDRESSES;

type Addresses = Readonly<Partial<Record<Ping, URL>>>;

/** The setting `heartbeat`. Whoever knows an address can ping it, so printing this object prints only hosts. */
export class Heartbeat {
    readonly #addresses: Addresses;

    /** @throws TypeError whose message follows on the setting's name, and contains no address */
    constructor(value: unknown) {
        this.#addresses = typeof value === 'string' ? addressesBelow(value) : readAddresses(value);
    }

    /** The address to ping; undefined if there is none, or if it needs a tenant and the run has none. */
    address(ping: Ping, tenant: string | number | undefined): string | undefined {
        const address = this.#addresses[ping]?.href;
        if (tenant === undefined) return address?.match(TENANT) ? undefined : address;
        return address?.replace(TENANT, encodeURIComponent(tenant));
    }

    toString(): string {
        return [...new Set(Object.values(this.#addresses).flatMap((url) => url?.host ?? []))].join(', ');
    }

    toJSON(): string {
        return String(this);
    }
}

function readAddresses(value: unknown): Addresses {
    const what = 'is neither an address nor an object: write { success, fail }';
    const addresses = readObject(ADDRESSES, value, what);
    if (Object.values(addresses).every((address) => address === undefined))
        throw new TypeError('has no address: write { start, success, fail }, or some of these');
    return addresses;
}

// As healthchecks.io expects it.
function addressesBelow(value: string): Addresses {
    const success = readAddress(value);
    const below = (name: string) => {
        const url = new URL(success);
        url.pathname = `${url.pathname.replace(/\/$/, '')}/${name}`;
        return url;
    };
    return { start: below('start'), success, fail: below('fail') };
}

function readAddress(value: unknown): URL {
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
    if (!url || !/^https?:$/.test(url.protocol))
        throw new TypeError("is not an address: write one like 'https://hc-ping.com/...'");
    if (url.username || url.password)
        throw new TypeError('has a user or a password in it, which cannot be sent');
    return url;
}
