import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordOfError, traceOf } from '../../lib/runs/trace.js';

const OWN = new URL('../../lib/runs/runner.js', import.meta.url).href;

/** An error with a stack of its own. */
function errorWith(message: string, frames: readonly string[], options?: ErrorOptions): Error {
    const error = new Error(message, options);
    error.stack = [`Error: ${message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n');
    return error;
}

describe('traceOf', () => {
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
        assert.deepEqual(traceOf(error).split('\n'), [
            'Error: no paper',
            '    at new Promise (<anonymous>)',
            '    at print (file:///app/lib/print.js:3:1)',
            '    at queue (/app/node_modules/queue/index.js:1:1)',
            '    at Proxy.run (file:///app/lib/background_jobs/x.js:4:18)',
        ]);
    });

    test('keeps the frames of packages where there are no others', () => {
        const frame = 'socket (/app/node_modules/driver/index.js:1:1)';
        assert.equal(traceOf(errorWith('gone', [frame])), `Error: gone\n    at ${frame}`);
    });

    test('is the message alone where only Node and the package took part', () => {
        const error = errorWith('the run\nreached its timeout', [
            'new DOMException (node:internal/x:1:1)',
            `x (${OWN}:1:1)`,
        ]);
        assert.equal(traceOf(error), 'Error: the run\nreached its timeout');
        const bare = new Error('bare');
        delete bare.stack;
        assert.equal(traceOf(bare), 'Error: bare');
    });

    test('follows causes, and the errors of an AggregateError', () => {
        const refused = ['::1', '127.0.0.1'].map((host) => errorWith(`connect ECONNREFUSED ${host}`, []));
        const cause = new AggregateError(refused);
        cause.stack = 'AggregateError';
        assert.equal(
            traceOf(errorWith('fetch failed', [], { cause })),
            'Error: fetch failed\ncaused by AggregateError\ncaused by Error: connect ECONNREFUSED ::1\ncaused by Error: connect ECONNREFUSED 127.0.0.1',
        );
    });

    test('comes to an end with an error that is its own cause', () => {
        const error = errorWith('again', []);
        error.cause = error;
        assert.equal(traceOf(error).match(/again/g)?.length, 6);
    });
});

describe('recordOfError', () => {
    test('has name, message, code, stack and causes, and can be written as JSON whatever it is', () => {
        const error = Object.assign(errorWith('outer', [], { cause: errorWith('inner', []) }), {
            code: 'E_OUTER',
        });
        assert.deepEqual(recordOfError(error), {
            name: 'Error',
            message: 'outer',
            code: 'E_OUTER',
            stack: 'Error: outer',
            causes: [{ name: 'Error', message: 'inner', stack: 'Error: inner' }],
        });
        error.cause = error;
        assert.ok(JSON.stringify(recordOfError(error)).length > 0);
    });
});
