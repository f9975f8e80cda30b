import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Heartbeats } from '../../lib/alerts/heartbeats.js';
import { Heartbeat } from '../../lib/jobs/heartbeat.js';
import type { JobPlan } from '../../lib/jobs/job_plan.js';
import type { BotEvent } from '../../lib/runs/events.js';
import { createRun, type Run } from '../../lib/runs/run.js';
import { readError } from '../../lib/text/errors.js';
import { freePort } from '../support/free_port.js';
import { type Monitor, openMonitor, status } from '../support/monitor.js';
import { patience, within } from '../support/pace.js';
import { job, startScenario } from '../support/scenario.js';

const SHORT = { start: patience(1_000), end: patience(1_000), last: 50, again: 1 };

type Told = Extract<BotEvent, { type: 'heartbeat-failed' }>;

let monitor: Monitor;
let told: Told[];

beforeEach(async () => {
    monitor = await openMonitor();
    monitor.answer(status(200));
    told = [];
});

afterEach(() => monitor.close());

const url = (path = '/secret') => `http://127.0.0.1:${monitor.port}${path}`;

/** The pings of a job with this setting, which runs as it is told to. */
function heartbeatsOf(setting: unknown, limits = SHORT) {
    const news = new EventEmitter();
    const plan = { settings: { heartbeat: new Heartbeat(setting) } } as JobPlan;
    const emit = (event: BotEvent) => {
        told.push(event as Told);
        news.emit('told');
    };
    const host = { emit, life: {}, planOf: () => plan };
    const heartbeats = new Heartbeats(host, (...request) => fetch(...request), limits);
    const begin = (tenant?: string) => {
        const run: Run = { ...createRun({ job: 'backup', args: [], tenant }), attempt: 1 };
        heartbeats.hear({ type: 'run-started', run });
        return run;
    };
    const end = (run: Run, outcome: Run['outcome'] = 'succeeded', rest: Partial<Run> = {}) =>
        heartbeats.hear({ type: 'run-ended', run: { ...run, outcome, ...rest } });
    return {
        heartbeats,
        begin,
        end,
        run: (outcome?: Run['outcome'], rest?: Partial<Run>) => end(begin(), outcome, rest),
        fails: async (count: number) => {
            while (told.length < count) await within(once(news, 'told'), `${count} warnings`);
            return told.map(({ host, ping, reason }) => `${host} ${ping} ${reason}`);
        },
    };
}

describe('the heartbeat of a job', () => {
    const error = readError(
        Object.assign(new Error('no paper'), { stack: 'Error: no paper\n    at run (a.js:1:1)' }),
    );
    const cases: [string, Run['outcome'], Partial<Run>, string[]][] = [
        ['that succeeded', 'succeeded', {}, ['GET /secret/start', 'GET /secret']],
        [
            'that failed',
            'failed',
            { error },
            ['GET /secret/start', 'POST /secret/fail Error: no paper\n    at run (a.js:1:1)'],
        ],
        [
            'whose process died',
            'lost',
            { reason: 'its process died' },
            ['GET /secret/start', 'POST /secret/fail lost: its process died'],
        ],
        ['that skipWhen skipped', 'skipped', { reason: 'skipWhen' }, ['GET /secret/start', 'GET /secret']],
    ];
    for (const [what, outcome, rest, expected] of cases)
        test(`tells of a run ${what}, its start first`, async () => {
            heartbeatsOf(url()).run(outcome, rest);
            await monitor.hears(2);
            assert.deepEqual(monitor.heard, expected);
        });

    test('tells nothing of a run that was aborted, or never started, and one start of all attempts', async () => {
        const { heartbeats, begin, end, run } = heartbeatsOf(url());
        run('aborted', { reason: 'replaced' });
        end(createRun({ job: 'backup', args: [] }), 'skipped', { reason: 'overlap' });
        await monitor.hears(1);
        const retried = begin();
        heartbeats.hear({ type: 'run-retrying', run: retried, error, delay: 1 });
        heartbeats.hear({ type: 'run-started', run: { ...retried, attempt: 2 } });
        end(retried);
        await monitor.hears(3);
        assert.deepEqual(monitor.heard.sort(), ['GET /secret', 'GET /secret/start', 'GET /secret/start']);
    });

    test('has addresses of its own for each, and for each tenant', async () => {
        const setting = { success: url('/a?state={tenant}'), fail: url('/{tenant}?state=fail') };
        const { begin, end } = heartbeatsOf(setting);
        end(begin('ac/me'));
        await monitor.hears(1);
        end(begin('acme'), 'failed', { error: { ...error, stack: 'x\n'.repeat(30) } });
        await monitor.hears(2);
        end(begin(), 'failed');
        end(begin('last'));
        await monitor.hears(3);
        const body = `${'x\n'.repeat(10)}tenant: acme`;
        assert.deepEqual(monitor.heard, [
            'GET /a?state=ac%2Fme',
            `POST /acme?state=fail ${body}`,
            'GET /a?state=last',
        ]);
    });

    test('keeps the query of its address, and follows redirects', async () => {
        monitor.answer(status(302, { location: '/elsewhere' }), status(200));
        heartbeatsOf(url('/secret/?create=1')).begin();
        await monitor.hears(2);
        assert.deepEqual(monitor.heard, ['GET /secret/start?create=1', 'GET /elsewhere']);
        assert.deepEqual(told, []);
    });
});

describe('a monitor that is in trouble', () => {
    test('is asked again, three times at most', async () => {
        const { fails, begin } = heartbeatsOf(url());
        monitor.answer((response) => response.destroy(), status(503), status(200));
        begin();
        await monitor.hears(3);
        assert.deepEqual(told, []);
        monitor.answer(status(503));
        begin();
        assert.deepEqual(await fails(1), [`127.0.0.1:${monitor.port} start it answers with 503`]);
        assert.equal(monitor.heard.length, 6);
    });

    test('is one warning until it is well again, without the address', async () => {
        const { fails, end } = heartbeatsOf({ success: url() });
        const run = createRun({ job: 'backup', args: [] });
        monitor.answer(status(404));
        end(run);
        await fails(1);
        end(run);
        await monitor.hears(2);
        monitor.answer(status(200));
        end(run);
        await monitor.hears(3);
        monitor.answer((response) => response.destroy());
        end(run);
        await fails(2);
        monitor.answer(status(404));
        end(run);
        assert.deepEqual(
            (await fails(3)).map((text) => text.replace(/^\S+ success /, '')),
            ['it answers with 404', 'UND_ERR_SOCKET', 'it answers with 404'],
        );
        assert.doesNotMatch(JSON.stringify(told), /secret/);
    });

    test('is one warning for all jobs where nobody answers', async () => {
        const port = await freePort();
        const { fails, run } = heartbeatsOf(`http://127.0.0.1:${port}/secret`);
        run();
        run();
        assert.deepEqual(await fails(1), [`127.0.0.1:${port} start ECONNREFUSED`]);
    });

    test('is given up when it does not answer, and the end is told nevertheless', async () => {
        const { fails, run } = heartbeatsOf(url(), { ...SHORT, start: 20, end: patience(300) });
        monitor.answer();
        run();
        assert.deepEqual(await fails(1), [`127.0.0.1:${monitor.port} start it does not answer in time`]);
        await monitor.hears(2);
    });
});

describe('a bot', () => {
    test('neither waits for a monitor with its runs nor with its stop', async () => {
        monitor.answer();
        const scenario = await startScenario('2026-01-01T12:00:00.500Z', {
            backup: job('* * * * * *', () => {}, { heartbeat: url() }),
        });
        await scenario.clock.advance(1_000);
        await monitor.hears(1);
        assert.deepEqual(scenario.endings, ['backup succeeded']);
        await scenario.bot.stop();
        assert.deepEqual(monitor.heard, ['GET /secret/start']);
    });

    for (const [what, life] of [
        ['bot', '{}'],
        ['command', 'undefined'],
    ])
        test(`does not keep a ${what}'s process alive when it does not answer, and is told both`, async () => {
            monitor.answer();
            const module = new URL('../../lib/alerts/heartbeats.js', import.meta.url).href;
            const script = `
            const { Heartbeats } = await import('${module}');
            const plan = { settings: { heartbeat: { address: () => '${url()}' } } };
            const pings = new Heartbeats({ emit(){}, life: ${life}, planOf: () => plan }, fetch);
            pings.hear({ type: 'run-started', run: { id: 'a', attempt: 1 } });
            pings.hear({ type: 'run-ended', run: { id: 'a', outcome: 'succeeded' } });
            if (${life}) pings.hear({ type: 'bot-stopped' });
            const since = performance.now();
            process.on('exit', () => console.log(performance.now() - since));`;
            const { stdout } = await promisify(execFile)(process.execPath, [
                '--input-type=module',
                '-e',
                script,
            ]);
            assert.ok(Number(stdout) < 1_000, stdout);
            await monitor.hears(2);
        });
});
