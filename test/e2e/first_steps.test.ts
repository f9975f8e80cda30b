import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeApp } from '../support/installed_app.js';

test('from an app that does not know the package to a job that runs on time: init, generate, start', async () => {
    const app = await makeApp({
        'lib/index.js': "\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n",
    });
    const init = await app.run('pinstripe-bot', ['init']);
    assert.deepEqual([init.code, init.stderr], [0, '']);
    assert.match(await app.read('lib/index.js'), /^import 'pinstripe-bot';$/m);
    assert.match(await app.read('.gitignore'), /^bot_\*\.db\*$/m);

    const generated = await app.run('pinstripe', ['generate-background-job', '--name', 'my-task']);
    assert.deepEqual([generated.code, generated.stderr], [0, '']);
    const file = 'lib/background_jobs/my_task.js';
    await app.write({ [file]: (await app.read(file)).replace("'* * * * *'", "'* * * * * *'") });

    const { process: server } = await app.serve();
    await server.printed(/^my-task background job coming soon!$/m);
    await server.printed(/succeeded my-task/);
    const { code, stderr } = await server.ended('SIGTERM');
    assert.deepEqual([code, stderr], [0, '']);
});
