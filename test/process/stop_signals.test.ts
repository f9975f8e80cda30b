import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { onStopSignals } from '../../lib/process/stop_signals.js';

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
