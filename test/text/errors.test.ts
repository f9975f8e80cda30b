import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { type ErrorRecord, messageOf, readError, toError, traceOf } from '../../lib/text/errors.js';
import { HOSTILE_THROWS } from '../support/hostile_throws.js';

const OWN = new URL('../../lib/runs/worker.js', import.meta.url).href;

/** An error with a stack of its own. */
function errorWith(message: string, frames: readonly string[], options?: ErrorOptions): Error {
    const error = new Error(message, options);
    error.stack = [`Error: ${message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n');
    return error;
}

function recordsIn(record: ErrorRecord): ErrorRecord[] {
    return [record, ...(record.causes ?? []).flatMap(recordsIn)];
}

function assertPlain(record: ErrorRecord): void {
    assert.deepEqual(JSON.parse(JSON.stringify(record)), record);
    const all = recordsIn(record);
    assert.ok(all.length <= 10, `${all.length} records`);
    for (const { name, message, stack, code = '' } of all) {
        assert.ok([name, message, stack, code].every((text) => typeof text === 'string'));
        assert.ok(name !== '' && stack !== '');
        assert.doesNotMatch(`${name}${message}${stack}${code}`, /[\0\p{Cs}]/u);
        assert.ok(name.length < 150 && message.length < 4_100 && stack.length < 12_200);
    }
}

describe('an error that was thrown', () => {
    for (const [what, make] of Object.entries(HOSTILE_THROWS)) {
        test(`is read, cut and written, and leads to an Error: ${what}`, () => {
            const record = readError(make());
            assertPlain(record);
            assert.ok(traceOf(record).startsWith(record.stack));
            assert.ok(toError(make()) instanceof Error || Object.getPrototypeOf(toError(make())) === null);
            assert.ok(messageOf(make()).length < 4_100);
        });
    }

    test('is read, whatever it is, and whatever its properties are', () => {
        const odd = { withNullPrototype: true, withSparseArray: true, withObjectString: true };
        const anything = fc.anything({ ...odd, withBigInt: true, withDate: true });
        const oneError = fc
            .dictionary(fc.constantFrom('name', 'message', 'stack', 'cause', 'errors', 'code'), anything)
            .map((properties) => Object.assign(new Error('no paper'), properties));
        const thrown = fc.oneof(anything, oneError, fc.array(oneError));
        fc.assert(fc.property(thrown, (one) => assertPlain(readError(one))));
    });

    test('says what can be read of it', () => {
        const of = (what: string) => readError(HOSTILE_THROWS[what]?.());
        const { name, message, stack } = of('an error whose stack is an array');
        assert.deepEqual([name, message, stack], ['Error', 'no paper', 'Error: no paper']);
        assert.equal(of('an error whose message throws').message, '(its message cannot be read)');
        assert.equal(of('an error whose name is a Symbol').name, 'Symbol(Nasty)');
    });

    test('keeps the frames of its stack, however long its message is', () => {
        const record = readError(errorWith('no paper '.repeat(100_000), ['run (file:///app/x.js:4:18)']));
        assert.match(record.message, /^no paper .*… \(900,000 characters\)$/s);
        assert.match(record.stack, /^Error: no .*… \(900,007 characters\)\n {4}at run \(file.*:4:18\)$/s);
    });

    test('has name, message, code, stack and causes', () => {
        const error = errorWith('outer', [], { cause: errorWith('inner', []) });
        assert.deepEqual(readError(Object.assign(error, { code: 'E_OUTER' })), {
            name: 'Error',
            message: 'outer',
            code: 'E_OUTER',
            stack: 'Error: outer',
            causes: [{ name: 'Error', message: 'inner', stack: 'Error: inner' }],
        });
    });
});

describe('the stack of an error', () => {
    const stackOf = (error: Error) => readError(error).stack;

    test("starts in the app's code, and ends where the package called it", () => {
        const error = errorWith('no paper', [
            'convertError (/app/node_modules/libsql/index.js:59:12)',
            'new Promise (<anonymous>)',
            'node:internal/process/task_queues:95:5',
            'print (file:///app/lib/print.js:3:1)',
            'queue (/app/node_modules/queue/index.js:1:1)',
            'Proxy.run (file:///app/lib/background_jobs/x.js:4:18)',
            `#withHooks (${OWN}:121:13)`,
            'cls.run (/app/node_modules/haberdash/lib/context.js:13:19)',
        ]);
        assert.deepEqual(stackOf(error).split('\n'), [
            'Error: no paper',
            '    at new Promise (<anonymous>)',
            '    at print (file:///app/lib/print.js:3:1)',
            '    at queue (/app/node_modules/queue/index.js:1:1)',
            '    at Proxy.run (file:///app/lib/background_jobs/x.js:4:18)',
        ]);
    });

    test('is the message alone where only Node and the package took part', () => {
        const frames = ['new DOMException (node:internal/x:1:1)', `x (${OWN}:1:1)`];
        const error = errorWith('the run\nreached its timeout', frames);
        assert.equal(stackOf(error), 'Error: the run\nreached its timeout');
        const bare = new Error('bare');
        delete bare.stack;
        assert.equal(stackOf(bare), 'Error: bare');
    });
});

describe('traceOf', () => {
    test('follows causes, and the errors of an AggregateError', () => {
        const refused = ['::1', '127.0.0.1'].map((host) => errorWith(`connect ECONNREFUSED ${host}`, []));
        const cause = new AggregateError(refused);
        cause.stack = 'AggregateError';
        assert.equal(
            traceOf(readError(errorWith('fetch failed', [], { cause }))),
            'Error: fetch failed\ncaused by AggregateError\ncaused by Error: connect ECONNREFUSED ::1\ncaused by Error: connect ECONNREFUSED 127.0.0.1',
        );
    });

    test('has an error that is its own cause once', () => {
        const error = errorWith('again', []);
        error.cause = error;
        assert.equal(traceOf(readError(error)), 'Error: again');
    });
});

describe('toError', () => {
    test('leaves an error as it is, one of another realm included', () => {
        const error = new RangeError('mine');
        assert.equal(toError(error), error);
        const foreign = runInNewContext("new Error('theirs')");
        assert.equal(foreign instanceof Error, false);
        assert.equal(toError(foreign), foreign);
    });

    const others: [cause: unknown, shown: string][] = [
        ['a text', '"a text"'],
        [undefined, 'undefined'],
        [Symbol('x'), 'Symbol(x)'],
        [Object.create(null), '[Object: null prototype] {}'],
        [{ code: 42, why: 'because' }, "{ code: 42, why: 'because' }"],
    ];
    for (const [cause, shown] of others) {
        test(`makes one of ${shown}, with the cause`, () => {
            const error = toError(cause);
            assert.ok(error instanceof Error);
            assert.equal(error.cause, cause);
            assert.equal(error.message, `it threw ${shown}, which is not an Error`);
        });
    }
});
