import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { canonicalJson, type Json, readArgs } from '../../lib/schedule/args.js';
import { BadScheduleError } from '../../lib/schedule/bad_schedule_error.js';

const json = fc.jsonValue() as fc.Arbitrary<Json>;

describe('readArgs', () => {
    test('copies and freezes what JSON has', () => {
        const same = { a: 1 };
        const args = ['x', 1, true, null, { deep: [{ er: 2 }] }, same, [same]];
        const read = readArgs(args);
        assert.deepEqual(read, args);
        assert.notEqual(read[4], args[4]);
        assert.ok(Object.isFrozen(read) && Object.isFrozen(read[4]));
    });

    test('takes objects of any origin for plain ones, and keeps a key called __proto__ a key', () => {
        const bare: unknown = Object.assign(Object.create(null), { a: 1 });
        assert.deepEqual(readArgs([bare, runInNewContext('({ b: [2] })')]), [{ a: 1 }, { b: [2] }]);
        const [read] = readArgs([JSON.parse('{"__proto__": {"a": 1}}')]);
        assert.deepEqual(Object.keys(read as object), ['__proto__']);
    });

    class Money {}
    const circular: unknown[] = [1];
    circular.push({ again: circular });
    const sparse = [1, 2, 3];
    delete sparse[1];
    const refused: [args: unknown[], reason: RegExp][] = [
        [[undefined], /^args\[0\] is undefined: pass null/],
        [[1, { a: [undefined] }], /^args\[1\]\.a\[0\] is undefined/],
        [[() => 1], /^args\[0\] is a function/],
        [[Symbol('x')], /^args\[0\] is a symbol/],
        [[10n], /^args\[0\] is a bigint: pass its toString\(\)/],
        [[Number.NaN], /^args\[0\] is NaN: JSON has finite numbers only/],
        [[{ a: Number.NEGATIVE_INFINITY }], /^args\[0\]\.a is -Infinity/],
        [[new Date(0)], /^args\[0\] is a Date: pass its toISOString\(\)/],
        [[new Map()], /^args\[0\] is an instance of Map/],
        [[new Money()], /^args\[0\] is an instance of Money/],
        [[circular], /^args\[0\]\[1\]\.again contains itself/],
        [[sparse], /^args\[0\]\[1\] is undefined: pass null/],
    ];
    for (const [args, reason] of refused) {
        test(`refuses: ${reason.source.replace(/[\\^]/g, '')}`, () => {
            assert.throws(() => readArgs(args), { name: BadScheduleError.name, message: reason });
        });
    }

    test('loses nothing on the way through JSON', () => {
        fc.assert(
            fc.property(fc.array(json), (args) => {
                const sent = JSON.parse(JSON.stringify(args));
                assert.deepEqual(JSON.parse(JSON.stringify(readArgs(args))), sent);
            }),
        );
    });
});

test('canonicalJson is equal for equal values and for no others', () => {
    assert.equal(canonicalJson({ b: 1, a: [{ d: 2, c: 3 }] }), '{"a":[{"c":3,"d":2}],"b":1}');
    fc.assert(
        fc.property(json, json, (a, b) => {
            assert.equal(canonicalJson(a), canonicalJson(JSON.parse(JSON.stringify(a))));
            if (canonicalJson(a) === canonicalJson(b)) {
                assert.deepEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
            }
        }),
    );
});
