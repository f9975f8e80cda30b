import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { everFires, nextSlot } from '../../lib/schedule/calendar.js';

const utc = (text: string) => Date.parse(text) / 1000;

test('everFires tells what never fires from what seldom does, and throws where it cannot be read', () => {
    const found = ['0 0 29 2 +MON', '0 0 30 2 *', '0 0 30 2 MON'].map(everFires);
    assert.deepEqual(found, [true, false, true]);
    assert.throws(() => everFires('60 * * * *'));
});

test('nextSlot and previousSlot serve an offset of Liberia that was no whole number of minutes', () => {
    assert.equal(
        nextSlot('0 12 * * *', 'Africa/Monrovia', utc('1971-06-01T00:00:00Z')),
        utc('1971-06-01T12:44:30Z'),
    );
});

test('a crontab that is kept ready takes 8 kB at most, and not the 82 kB of a whole Cron', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const heap = () => {
        collect();
        return process.memoryUsage().heapUsed;
    };
    nextSlot('* * * * *', 'UTC', 0);
    const before = heap();
    for (let index = 0; index < 600; index++)
        nextSlot(`${index % 60} ${Math.floor(index / 60)} 5 5 *`, 'UTC', 0);
    const each = (heap() - before) / 600;
    assert.ok(each < 8192, `${Math.round(each)} bytes`);
});
