import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Context } from '../../types/framework.js';
import { openApp } from '../support/fixture_app.js';

await openApp();
const { ContextClass, Workspace } = await import('../../lib/framework.js');
const { destroyContext } = await import('../../lib/runs/workspace_end.js');

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
    test('destroys what has destroy(), one after another, in the order in which it was stored', async () => {
        await end(
            createContext({
                database: resource('database'),
                cache: resource('cache'),
                mail: resource('mail'),
            }),
        );
        assert.deepEqual(log, ['database', 'cache', 'mail']);
        assert.deepEqual(failures, []);
    });

    test('awaits what is stored as a promise', async () => {
        await end(createContext({ database: Promise.resolve(resource('database')) }));
        assert.deepEqual(log, ['database']);
    });

    test('goes on when one throws, rejects, or is a promise that rejects, and tells of each', async () => {
        await end(
            createContext({
                a: {
                    destroy() {
                        throw new Error('a throws');
                    },
                },
                b: { destroy: () => Promise.reject(new Error('b rejects')) },
                c: Promise.reject(new Error('c never came')),
                d: { destroy: () => Promise.reject('a text') },
                last: resource('last'),
            }),
        );
        assert.deepEqual(log, ['last']);
        assert.deepEqual(failures, [
            'a throws',
            'b rejects',
            'c never came',
            'it threw "a text", which is not an Error',
        ]);
    });

    test('passes over values that cannot be destroyed, null included', async () => {
        const values = {
            a: null,
            b: undefined,
            c: 0,
            d: 'text',
            e: {},
            f: { destroy: 'no function' },
            g: () => {},
        };
        await end(createContext({ ...values, last: resource('last') }));
        assert.deepEqual(log, ['last']);
        assert.deepEqual(failures, []);
    });

    test('calls destroy() on the thing itself', async () => {
        class Pool {
            name = 'pool';
            destroy() {
                log.push(this.name);
            }
        }
        await end(createContext({ pool: new Pool() }));
        assert.deepEqual(log, ['pool']);
    });

    test('leaves other contexts alone', async () => {
        const other = createContext({ theirs: resource('theirs') });
        const context = createContext({ mine: resource('mine'), other });
        context.parent = other;
        await end(context);
        assert.deepEqual(log, ['mine']);
        assert.equal(context.root, context);
    });

    test('leaves nothing for the framework to destroy again, or to fail on', async () => {
        await Workspace.run(async function () {
            Object.assign(this.context, {
                good: resource('good'),
                bad: {
                    destroy() {
                        log.push('bad');
                        throw new Error('no');
                    },
                },
                nothing: null,
                late: Promise.reject(new Error('never came')),
            });
            await end(this.context);
        });
        assert.deepEqual(log, ['good', 'bad']);
        assert.deepEqual(failures, ['no', 'never came']);
    });

    test('leaves what is no resource, so that code which a job did not wait for still knows its tenant', async () => {
        await Workspace.run(async function () {
            this.initialParams._headers['x-tenant-id'] = 'acme';
            this.context['database'] = resource('database');
            await end(this.context);
            assert.equal(this.initialParams._headers['x-tenant-id'], 'acme');
            assert.equal('database' in this.context, false);
        });
    });
});
