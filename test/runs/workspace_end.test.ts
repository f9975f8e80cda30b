import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Context } from '../../types/framework.js';
import { openApp } from '../support/fixture_app.js';

await openApp();
const { ContextClass, Workspace } = await import('../../lib/framework.js');
const { destroyContext } = await import('../../lib/runs/worker.js');

let log: string[];
let failures: string[];

beforeEach(() => {
    log = [];
    failures = [];
});

const resource = (name: string) => ({
    async destroy() {
        await null;
        log.push(name);
    },
});
const end = (context: Context) => destroyContext(context, (error) => failures.push(error.message));

function createContext(values: Record<string, unknown>): Context {
    return Object.assign(new ContextClass(), values);
}

describe('destroyContext', () => {
    test('destroys what has destroy(), promises of it included, one after another, in the order in which it was stored', async () => {
        const late = Promise.resolve(resource('cache'));
        await end(createContext({ database: resource('database'), cache: late, mail: resource('mail') }));
        assert.deepEqual(log, ['database', 'cache', 'mail']);
        assert.deepEqual(failures, []);
    });

    test('goes on when one throws, rejects, or is a promise that rejects, and tells of each', async () => {
        const a = {
            destroy() {
                throw new Error('a throws');
            },
        };
        const b = { destroy: () => Promise.reject(new Error('b rejects')) };
        const c = Promise.reject(new Error('c never came'));
        const d = { destroy: () => Promise.reject('a text') };
        await end(createContext({ a, b, c, d, last: resource('last') }));
        assert.deepEqual(log, ['last']);
        assert.deepEqual(failures.slice(0, 3), ['a throws', 'b rejects', 'c never came']);
        assert.match(failures[3] ?? '', /"a text"/);
    });

    test('passes over values that cannot be destroyed, null included', async () => {
        const values = { a: null, b: undefined, c: 0, d: 'text', e: {}, f: { destroy: 'no' }, g: () => {} };
        await end(createContext({ ...values, last: resource('last') }));
        assert.deepEqual([log, failures], [['last'], []]);
    });

    test('leaves nothing for the framework to destroy again, or to fail on, and what is no resource', async () => {
        await Workspace.run(async function () {
            this.initialParams._headers['x-tenant-id'] = 'acme';
            const bad = { destroy: () => Promise.reject(new Error('no')) };
            Object.assign(this.context, { good: resource('good'), bad, nothing: null });
            await end(this.context);
            // Code which a job did not wait for still knows its tenant.
            assert.equal(this.initialParams._headers['x-tenant-id'], 'acme');
        });
        assert.deepEqual([log, failures], [['good'], ['no']]);
    });
});
