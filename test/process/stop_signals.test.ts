import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { onStopSignals, type StopSignal } from '../../lib/process/stop_signals.js';

describe('the end of a terminal, SIGHUP,', () => {
    test('is a SIGTERM to whoever stops on that, here and elsewhere', () => {
        const begun: StopSignal[] = [];
        let heardElsewhere = 0;
        const listener = () => {
            heardElsewhere += 1;
        };
        process.on('SIGTERM', listener);
        const forget = onStopSignals((signal) => begun.push(signal));
        process.emit('SIGHUP', 'SIGHUP');
        forget();
        process.off('SIGTERM', listener);
        assert.deepEqual([begun, heardElsewhere], [['SIGTERM'], 1]);
    });

    test('does what it does without us, once nobody listens any more', () => {
        const before = process.listenerCount('SIGHUP');
        onStopSignals(() => {})();
        assert.equal(process.listenerCount('SIGHUP'), before);
    });
});

describe('a signal to stop', () => {
    for (const [signal, isTTY, written] of [
        ['SIGINT', true, ['\n']],
        ['SIGTERM', true, []],
        ['SIGINT', undefined, []],
    ] as const)
        test(`${signal} ${isTTY ? 'on' : 'without'} a terminal writes ${JSON.stringify(written)} first, so that the log does not stand behind ^C`, (t) => {
            const before = process.stdout.isTTY;
            const write = t.mock.method(process.stdout, 'write', () => true);
            const told: unknown[] = [];
            const forget = onStopSignals((name) => told.push(...texts(), name));
            const texts = () => write.mock.calls.map(({ arguments: [text] }) => text);
            Object.assign(process.stdout, { isTTY });
            process.emit(signal, signal);
            forget();
            Object.assign(process.stdout, { isTTY: before });
            write.mock.restore();
            assert.deepEqual(told, [...written, signal]);
        });
});
