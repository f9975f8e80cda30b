import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fs from 'fs-extra';
import { blocksOf, normalise, type Session, withBlocks } from '../support/console_page.js';
import { DOCS_APP } from '../support/docs_app.js';
import { makeApp } from '../support/installed_app.js';
import { assertShape } from '../support/json_schema.js';
import { PACKAGE } from '../support/pack.js';
import { Shell } from '../support/shell.js';

/** With UPDATE_DOCS=1 what is printed is written into the pages, where it differs. */
const IS_UPDATING = process.env['UPDATE_DOCS'] === '1';

/** What every command has; docs/commands/README.md tells of it. */
const OF_ALL = ['--help', '--interactive'];

const FOLDER = join(PACKAGE, 'docs/commands');
const COMMANDS = (await fs.readdir(join(PACKAGE, 'commands'))).map((file) =>
    file.replace(/\.ts$/, '').replaceAll('_', '-'),
);

describe('the page of', () => {
    for (const command of COMMANDS) {
        describe(command, () => {
            const path = join(FOLDER, `${command}.md`);

            test('shows what is really printed', () => compare(path, command));

            test('tells of each of its options, and --help has an example', async () => {
                const app = await makeApp(DOCS_APP);
                const { code, stdout } = await app.call([command, '--help']);
                assert.equal(code, 0);
                assert.match(stdout, new RegExp(`^Example:\n  npx pinstripe-bot ${command}( |$)`, 'm'));
                const page = await fs.readFile(path, 'utf8');
                const options = [...stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(
                    ([, option]) => option ?? '',
                );
                assert.ok(options.includes('--help'));
                const missing = options.filter(
                    (option) => !OF_ALL.includes(option) && !page.includes(`\`${option}`),
                );
                assert.deepEqual(missing, []);
            });
        });
    }
});

test('the recipes show what is really printed', () => compare(join(PACKAGE, 'docs/recipes.md')));

/** Runs what a page shows, in one app, and compares what is printed; with `UPDATE_DOCS` writes it into the page. */
async function compare(path: string, command = ''): Promise<void> {
    const page = await fs.readFile(path, 'utf8');
    const shell = new Shell(await makeApp(DOCS_APP));
    const blocks: Session[][] = [];
    for (const block of blocksOf(page)) {
        const sessions: Session[] = [];
        for (const { command, output } of block) {
            const printed = await shell.run(command, output);
            const [, name = ''] = / ([\w-]+).* --json/.exec(command) ?? [];
            if (name) assertShape(name, JSON.parse(printed));
            const isSame = normalise(printed) === normalise(output);
            if (!IS_UPDATING) assert.equal(normalise(printed), normalise(output), `$ ${command}`);
            sessions.push({ command, output: isSame ? output : printed });
        }
        blocks.push(sessions);
    }
    assert.ok(blocks.flat().some((session) => session.command.startsWith(`pinstripe-bot ${command}`)));
    if (IS_UPDATING) await fs.writeFile(path, withBlocks(page, blocks));
}
