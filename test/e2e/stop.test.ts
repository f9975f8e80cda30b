import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { backgroundJobs, makeApp, UNTIL_RELEASED } from '../support/installed_app.js';

/** How often a test looks again, in milliseconds. */
const SOON = 50;

/** What a slow machine may take on top, in milliseconds. */
const SLACK = 4_000;

function hungJob(bot: string): Record<string, string> {
    return {
        ...backgroundJobs({
            hung: `export default {
                meta(){ this.schedule('* * * * * *'); },
                run(){ console.log('begin'); return new Promise(() => {}); }
            };`,
        }),
        'pinstripe.config.js': `export default { bot: ${bot} };`,
    };
}

describe('a server that is told to stop', { concurrency: 3 }, () => {
    for (const [signal, binary] of [
        ['SIGTERM', 'pinstripe'],
        ['SIGINT', 'pinstripe-bot'],
        ['SIGHUP', 'pinstripe'],
    ] as const) {
        test(`by ${signal} closes its listener first, lets the run in flight finish, and exits with 0 (${binary})`, async () => {
            const app = await makeApp(UNTIL_RELEASED);
            const { process: server, port, get } = await app.serve({ binary });
            assert.equal((await get('/up')).status, 200);
            await server.printed(/^begin$/m);
            server.signal(signal);
            await refusal(port);
            await server.printed(/bot stopping: waiting for 1 run in flight/);
            assert.doesNotMatch(server.stdout, /^end$/m);
            await app.write({ release: '' });
            const { code, stdout, stderr } = await server.ended();
            // On a busy machine it may be told of slots that came before the signal.
            assert.deepEqual([code, stderr.replace(/^.* overlap until-released .*\n/gm, '')], [0, '']);
            assert.match(stdout, /^end\n.*succeeded until-released.*\n.*bot stopped\n$/m);
            assert.equal(stdout.match(/^begin$/gm)?.length, 1);
            await refusal(port);
        });
    }

    test('takes signals that come at once for one', async () => {
        const app = await makeApp(UNTIL_RELEASED);
        const { process: server, port } = await app.serve();
        await server.printed(/^begin$/m);
        server.signal('SIGINT');
        server.signal('SIGTERM');
        await refusal(port);
        await app.write({ release: '' });
        const { code, stdout } = await server.ended();
        assert.equal(code, 0);
        assert.match(stdout, /^end$/m);
    });

    test('waits for a hung job as long as bot.stopTimeout, and names what it abandons', async () => {
        const app = await makeApp(hungJob("{ stopTimeout: '1s' }"));
        const { process: server, port } = await app.serve();
        await server.printed(/^begin$/m);
        const since = performance.now();
        const { code, stderr } = await server.ended('SIGTERM');
        const took = performance.now() - since;
        assert.equal(code, 0);
        assert.match(stderr, /abandoned hung after .*: it did not end/);
        assert.ok(took >= 4_000 && took < 4_000 + 1_000 + SLACK, `it took ${took} ms`);
        await refusal(port);
    });

    const kept: [what: string, files: Record<string, string>, at: RegExp, path?: string][] = [
        [
            'a job has left an interval behind',
            backgroundJobs({
                leaves_timer: `export default {
                    meta(){ this.schedule('* * * * * *'); },
                    run(){ setInterval(() => {}, 1000); console.log('left'); }
                };`,
            }),
            /^left$/m,
        ],
        [
            'a request never ends',
            {
                'lib/views/_file_importer.js': "export { View as default } from 'pinstripe';",
                'lib/views/hangs.js':
                    "export default { render(){ console.log('asked'); return new Promise(() => {}); } };",
                'pinstripe.config.js': "export default { bot: { stopTimeout: '100ms' } };",
            },
            /^asked$/m,
            '/hangs',
        ],
    ];
    for (const [what, files, at, path] of kept) {
        test(`exits although ${what}, and says so`, async () => {
            const { process: server, get } = await (await makeApp(files)).serve();
            const request = path && get(path).catch(() => {});
            await server.printed(at);
            const { code, stderr } = await server.ended('SIGTERM');
            assert.equal(code, 0);
            assert.match(stderr, /^\S+ \S+ exiting although something keeps the process alive: /);
            await request;
        });
    }

    for (const [when, leave, signal] of [
        ['while the bot works', 'setTimeout(() => process.exit(0), 100)', undefined],
        [
            'while the bot stops',
            "process.on('SIGTERM', () => setImmediate(() => process.exit(0)))",
            'SIGTERM',
        ],
    ] as const)
        test(`names the runs that a job cuts short by process.exit(0) ${when}, and exits with 1`, async () => {
            const app = await makeApp({
                ...hungJob('{}'),
                'lib/background_jobs/leaves.js': `export default {
                    meta(){ this.schedule('* * * * * *'); },
                    run(){ ${leave}; console.log('armed'); return new Promise(() => {}); }
                };`,
                'pinstripe.config.js': 'export default { bot: { concurrency: 2 } };',
            });
            const { process: server } = await app.serve();
            await server.printed(/^armed$/m);
            const { code, stderr } = await server.ended(signal);
            assert.equal(code, 1);
            assert.match(stderr, /^\S+ \S+ exiting in the middle of 2 runs: hung, leaves$/m);
        });

    for (const [signal, expected] of [
        ['SIGTERM', 143],
        ['SIGINT', 130],
    ] as const) {
        test(`exits at once with ${expected} on a second signal, ${signal}`, async () => {
            const app = await makeApp(hungJob("{ stopTimeout: '1h' }"));
            const { process: server } = await app.serve();
            await server.printed(/^begin$/m);
            const again = setInterval(() => server.signal(signal), SOON);
            const { code } = await server.ended(signal);
            clearInterval(again);
            assert.equal(code, expected);
        });
    }
});

/** Waits until nothing listens at a port. */
async function refusal(port: number): Promise<void> {
    for (;;) {
        const socket = connect(port, '127.0.0.1');
        try {
            await once(socket, 'connect');
        } catch {
            return;
        } finally {
            socket.destroy();
        }
        await wait(SOON);
    }
}
