import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openWatchedApp } from '../support/watched_app.js';

/** How long they are watched. For ten minutes: SOAK_SECONDS=600 node --test --test-timeout=900000 dist/test/soak/busy_bots.test.js */
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 20);
const COPIES = 3;

const job = (crontab: string, settings: string, run: string) => `{
    multiTenant: false,
    ${settings}
    meta(){ this.schedule('${crontab}'); },
    async run(){ note(this, 'start'); ${run} }
}`;

/** All that looks like trouble, and is none. */
const KINDS: Record<string, string> = {
    each_second: job('* * * * * *', '', ''),
    overlaps: job('*/5 * * * * *', '', 'await sleep(7_000);'),
    queues: job('*/5 * * * * *', "overlap: 'queue',", 'await sleep(6_000);'),
    replaced: job(
        '*/10 * * * * *',
        "overlap: 'replace',",
        "await new Promise((_, reject) => this.signal.addEventListener('abort', () => reject(this.signal.reason)));",
    ),
    side_by_side: job('*/20 * * * * *', "overlap: 'allow',", 'await sleep(50_000);'),
    spread: job('* * * * *', "spread: '40s',", ''),
    long: job('*/2 * * * *', '', 'await sleep(100_000);'),
    retried: job(
        '*/30 * * * * *',
        "retries: 2, retryDelay: '2s',",
        "if (this.currentRun.attempt < 3) throw new Error('not yet');",
    ),
    not_today: job('* * * * * *', 'except: [() => true],', ''),
    elsewhere: job('* * * * * *', "environments: ['staging'],", ''),
};

const JOBS = Object.fromEntries(
    Object.entries(KINDS).flatMap(([name, definition]) =>
        Array.from({ length: COPIES }, (_, copy) => [`${name}_${copy}`, definition]),
    ),
);

test(`${SECONDS} s of two busy bots give no false alarm`, async (t) => {
    const bot = {
        timezone: 'UTC',
        concurrency: 5,
        turn: '2s',
        stopTimeout: '1s',
        health: { overdue: '30s' },
    };
    const config = `export default ${JSON.stringify({ bot })};`;
    const { fleet, web, look } = await openWatchedApp(JOBS, { 'pinstripe.config.js': config });
    const servers = [fleet.start(), fleet.start()];
    await Promise.all(servers.map(({ started }) => started));
    // The first beat has told the others.
    await delay(2_000);
    await fleet.command('pause-background-job', 'each-second-0');
    let looks = 0;
    for (const end = Date.now() + SECONDS * 1000; Date.now() < end; await delay(3_000), looks++)
        assert.deepEqual(await look(), { kinds: [], up: 200 }, `look ${looks}`);
    await fleet.stop();
    const output = [web.output, ...servers.map((server) => server.output())].join('');
    assert.doesNotMatch(output, /^.* (overdue|unhealthy|failing|slow|stuck) .*$/m);
    const starts = (await fleet.evidence()).length;
    assert.ok(starts > SECONDS, `${starts} runs`);
    t.diagnostic(`${looks} looks, ${starts} runs`);
});
