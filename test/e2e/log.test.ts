import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';
import { assertShape } from '../support/json_schema.js';

const JOBS = backgroundJobs({
    sound: `export default {
        meta(){ this.schedule('* * * * * *', 'hourly'); },
        run(){}
    };`,
    broken: `export default {
        meta(){ this.schedule('* * * * * *'); },
        run(){ throw new Error('no paper'); }
    };`,
});

describe('the log of a server', { concurrency: 2 }, () => {
    test('is an object a line under log: json, and nothing else', async () => {
        const app = await makeApp({
            ...JOBS,
            'pinstripe.config.js': "export default { bot: { log: 'json' } };",
        });
        const { process: server } = await app.serve();
        await server.printed(/"job":"sound"/);
        await server.printed(/no paper/);
        const { stdout, stderr } = await server.ended('SIGTERM');
        const records = `${stdout}${stderr}`
            .split('\n')
            .filter((line) => line !== '' && !line.startsWith('Pinstripe running at'))
            .map((line) => JSON.parse(line));
        for (const record of records) assertShape('log', record);
        const endOf = (job: string) =>
            records.find(({ type, run }) => type === 'run-ended' && run.job === job);
        assert.deepEqual(endOf('sound').run.args, ['hourly']);
        assert.match(endOf('broken').run.error.stack, /^Error: no paper\n +at Proxy\.run \(file:.*:3:22\)$/);
    });
});

test('start-server on a port that is in use says so in one line, starts no bot, and exits with 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const app = await makeApp(JOBS);
    const host = `127.0.0.1:${port}`;
    const { code, stdout, stderr } = await app.run('pinstripe', ['start-server', '--host', host]);
    taken.close();
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
        stderr,
        `The server cannot start: port ${port} of 127.0.0.1 is in use: stop what listens there, or choose another one with --host.\n`,
    );
});
