import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorRecord, readError } from '../../lib/text/errors.js';
import { lineInStack } from '../../lib/text/import_fault.js';

const FILE = '/app/lib/background_jobs/a #1.js';

function thrown(message: string, ...places: string[]): ErrorRecord {
    const error = new Error(message);
    error.stack = [`Error: ${message}`, ...places.map((place) => `    at run (${place})`)].join('\n');
    return readError(error);
}

describe('the line of a file to which an error points', () => {
    test('is the first one in its stack, as a URL or a path', () => {
        const url = 'file:///app/lib/background_jobs/a%20%231.js';
        assert.equal(lineInStack(thrown('x', 'file:///app/b.js:9:9', `${url}:4:18`, `${url}:7:1`), FILE), 4);
        assert.equal(lineInStack(thrown('x', `${FILE}:12:3`), FILE), 12);
    });

    test('may stand in its message, as compilers have it', () => {
        assert.equal(lineInStack(thrown(`Transform failed:\n${FILE}:3:4: ERROR`), FILE), 3);
    });

    test('is unknown, where it points elsewhere', () => {
        assert.equal(lineInStack(thrown(`imported from ${FILE}`, '/app/b.js:9:9'), FILE), undefined);
    });
});
