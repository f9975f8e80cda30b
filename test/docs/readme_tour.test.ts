import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fs from 'fs-extra';
import { codeBlocks } from '../support/code_block.js';
import { blocksOf, normalise } from '../support/console_page.js';
import { DOCS_APP } from '../support/docs_app.js';
import { makeApp } from '../support/installed_app.js';
import { PACKAGE } from '../support/pack.js';
import { Shell } from '../support/shell.js';

/** What the tests have done already, or do elsewhere: npm installs the package, a clock of its own drives the server. */
const ELSEWHERE = /^(npm install|pinstripe start-server)/;

const CLEAN_UP = 'lib/background_jobs/clean_up.js';
const FETCH_PRICES = 'lib/background_jobs/fetch_prices.js';
const DIGEST = 'lib/background_jobs/nightly_digest.js';

test('the tour of the README shows what is really printed, in an app that begins with init', async () => {
    const app = await makeApp({
        'lib/index.js': "\nimport { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n",
    });
    const shell = new Shell(app);
    const page = await fs.readFile(join(PACKAGE, 'README.md'), 'utf8');
    const digest = (await codeBlocks()).find(({ page, file }) => page === 'README.md' && file === DIGEST);
    const { [CLEAN_UP]: cleanUp = '', [FETCH_PRICES]: fetchPrices = '' } = DOCS_APP;
    const misspelt = cleanUp.replace('*/5 *', '60 *').replace('run()', "timout: '1m',\n    run()");

    /** What the README takes for granted before a command. */
    const before: Record<string, () => Promise<unknown>> = {
        'pinstripe list-background-jobs': async () => {
            await app.write({
                [CLEAN_UP]: cleanUp,
                [FETCH_PRICES]: fetchPrices,
                [DIGEST]: digest?.code ?? '',
            });
            await shell.run('pinstripe run-background-job clean-up', '');
            await shell.run('pinstripe run-background-job fetch-prices', '');
            await shell.run('pinstripe pause-background-job fetch-prices', '');
        },
        'pinstripe check-background-jobs': () => app.write({ [CLEAN_UP]: misspelt }),
        'pinstripe pause-background-job fetch-prices': () => app.write({ [CLEAN_UP]: cleanUp }),
    };

    for (const { command, output } of blocksOf(page).flat()) {
        const line = command.replace(/^npx /, '');
        if (ELSEWHERE.test(line)) continue;
        await before[line]?.();
        // Of the time of a log a terminal shows no day.
        const printed = (await shell.run(line, output)).replace(/^\d{4}-\d\d-\d\d (?=\d\d:)/gm, '');
        assert.equal(normalise(printed).trim(), normalise(output).trim(), `$ ${command}`);
    }
});
