import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { CommanderError, type Command as Program } from 'commander';
import { CliError, describeFailure } from '../../lib/cli/errors.js';
import { paramsOf, type Words } from '../../lib/cli/params.js';
import { addFrameworkCommands, createProgram, readWords } from '../../lib/cli/program.js';
import { Command, importAll } from '../../lib/framework.js';
import type { CommandParam } from '../../types/framework.js';

await importAll();

const OPTIONS: Record<string, Partial<CommandParam>> = {
    name: { type: 'string', alias: 'arg1', description: 'The name.' },
    host: { type: 'string', optional: true },
    limit: { type: 'number', optional: true, default: 10 },
    json: { type: 'boolean', optional: true, alias: 'j' },
    force: { type: 'boolean', optional: true, alias: 'f' },
    noCache: { type: 'boolean', optional: true },
    columns: { type: 'fields', optional: true },
    color: { type: 'string', optional: true, choices: ['red', 'green'], placeholder: 'colour' },
};

afterEach(() => Command.unregister('paint-wall'));

describe('the command line of a framework command', () => {
    const lines: [string[], Record<string, unknown>][] = [
        [['wall'], { name: 'wall' }],
        [['--name', 'wall'], { name: 'wall' }],
        [['wall', '--host', 'a:1', 'b:2'], { name: 'wall', host: 'a:1 b:2' }],
        [['wall', '--host', 'a:1', '--host', 'b:2'], { name: 'wall', host: 'a:1 b:2' }],
        [['--host', 'a:1', '--name', 'my', 'wall'], { host: 'a:1', name: 'my wall' }],
        [['--host=', 'wall'], { name: 'wall', host: '' }],
        [['wall', '--json'], { name: 'wall', json: true }],
        [['wall', '--json', 'false'], { name: 'wall', json: false }],
        [['wall', '--json=false'], { name: 'wall', json: false }],
        [['--json', 'wall'], { name: 'wall', json: true }],
        [['wall', '-jf'], { name: 'wall', json: true, force: true }],
        [['wall', '--no-cache'], { name: 'wall', noCache: true }],
        [['wall', '--limit', '-2.5'], { name: 'wall', limit: -2.5 }],
        [['wall', '--limit=1', '--limit', '2'], { name: 'wall', limit: 2 }],
        [['wall', '--host', '-x'], { name: 'wall', host: '-x' }],
        [['wall', '--color', 'red'], { name: 'wall', color: 'red' }],
        [['--', '--json'], { name: '--json' }],
        [
            ['wall', '--columns', '^id:number', 'title'],
            {
                name: 'wall',
                columns: [
                    { mandatory: true, name: 'id', type: 'number' },
                    { mandatory: false, name: 'title', type: 'string' },
                ],
            },
        ],
        [[], {}],
    ];
    for (const [words, params] of lines) {
        const isShared = !isOursAlone(words);
        const whose = isShared ? ', as the framework has it' : '';
        test(`${JSON.stringify(words)} gives ${JSON.stringify(params)}${whose}`, async () => {
            assert.deepEqual(await parse(['paint-wall', ...words]), params);
            if (!isShared) return;
            const definition = Command.for('paint-wall');
            assert.deepEqual(params, definition.coerceParams(definition.extractParams(words)));
        });
    }

    test('knows its command in any spelling', async () => {
        for (const name of ['paint-wall', 'paint_wall', 'PaintWall', 'paintWall'])
            assert.deepEqual(await parse([name, 'wall']), { name: 'wall' });
    });

    const mistakes: [string[], RegExp][] = [
        [['paint-wal', 'x'], /unknown command 'paint-wal' \(did you mean paint-wall\?\)/],
        [['paint-wall', '--hots', 'x'], /unknown option '--hots' \(did you mean --host\?\)/],
        [['paint-wall', '--limit', 'many'], /argument 'many' is invalid\. It must be a number/],
        [['paint-wall', '--json=maybe'], /argument 'maybe' is invalid\. It must be true or false/],
        [['paint-wall', '--color', 'blue'], /Allowed choices are red, green/],
        [['paint-wall', '--host'], /option '--host <host>' argument missing/],
        [
            ['paint-wall', '--name', '--json'],
            /option '--name <name>' argument '--json' is invalid\. It is an option itself/,
        ],
        [['paint-wall', '--host', '--help'], /argument '--help' is invalid/],
        [['paint-wall', 'one', 'two'], /too many arguments for 'paint-wall'\. Expected 1 argument but got 2/],
        [['paint-wall', 'one', '--name', 'two'], /'name' is given twice: as --name and as 'one'/],
        [['--nonsense'], /unknown option '--nonsense'/],
        [['--nonsense', 'paint-wall'], /unknown option '--nonsense'/],
    ];
    for (const [words, message] of mistakes) {
        test(`${JSON.stringify(words)} is refused`, async () => {
            const { program, errors } = makeProgram();
            await assert.rejects(
                run(program, words),
                (error) => error instanceof CommanderError && error.exitCode !== 0,
            );
            assert.match(errors.join(''), message);
        });
    }

    test('is handed on as words when the framework is going to prompt', () => {
        const { registry } = makeProgram();
        const definition = registry.for('paint-wall');
        assert.deepEqual(paramsOf(definition, { limit: ['1'], interactive: [] }, false), {
            limit: ['1'],
            interactive: [],
        });
        assert.deepEqual(paramsOf(definition, {}, true), {});
        assert.deepEqual(paramsOf(definition, { limit: ['1'] }, true), { limit: 1 });
    });
});

describe('help', () => {
    test('shows the usage, the types, what is required, the defaults and the example', async () => {
        const help = await helpOf(['paint-wall', '--help']);
        assert.match(help, /^Usage: pinstripe-bot paint-wall <name> \[options\]$/m);
        assert.match(help, /^Paints a wall\.$/m);
        assert.match(help, /--name <name> +The name\. \(required\)$/m);
        assert.match(help, /--limit <number> +\(default: 10\)$/m);
        assert.match(help, /-j, --json\n/);
        assert.match(help, /--color <colour> +\(choices: "red", "green"\)/);
        assert.match(help, /-i, --interactive/);
        assert.match(help, /Example:\n {2}npx pinstripe-bot paint-wall kitchen\n$/);
    });

    test('is the same for help and --help', async () => {
        assert.equal(await helpOf(['help', 'paint_wall']), await helpOf(['paint-wall', '--help']));
        assert.equal(await helpOf(['help']), await helpOf(['--help']));
        assert.equal(await helpOf(['help', '--help']), await helpOf([]));
    });

    test('lists a command that cannot be built, and running it says why', async () => {
        const { program, output } = makeProgram({ paint() {} } as object as typeof OPTIONS, {
            meta() {
                throw new Error('no brush');
            },
        });
        await assert.rejects(run(program, ['paint-wall']), /no brush/);
        await assert.rejects(run(program, ['--help']), CommanderError);
        assert.match(output.join(''), /paint-wall +\(broken: no brush\)/);
    });
});

describe('a failure', () => {
    const bug = new TypeError('x is not a function');
    const tenants = new AggregateError([new Error('tenant 1'), new Error('tenant 2')], '2 tenants failed');
    const unsaved = new Error('not saved', { cause: new Error('disk full') });
    const failures: [what: string, error: unknown, text: string | undefined][] = [
        ['one line where it is meant for the reader', new CliError('no paint'), 'no paint'],
        ['what was thrown', 'no paint', 'no paint'],
        ['a whole stack where it can only be a bug', bug, bug.stack],
        ['a line for each error of several', tenants, '2 tenants failed\n  tenant 1\n  tenant 2'],
        ['a line for its cause', unsaved, 'not saved\n  disk full'],
    ];
    for (const [what, error, text] of failures)
        test(`is ${what}`, () => assert.equal(describeFailure(error, undefined), text));
});

// What the framework's own binary reads otherwise or not at all: `--x=y`, `--`, a repeated number, a word behind a
// boolean, flags in a bunch.
function isOursAlone(words: string[]): boolean {
    const text = words.join(' ');
    return /=|^--(json|j)? |^-j |-jf|-x|^-- /.test(text);
}

async function parse(words: string[], params = OPTIONS): Promise<unknown> {
    const { program, calls, errors } = makeProgram(params);
    await run(program, words).catch((error) => assert.fail(`${error}\n${errors.join('')}`));
    assert.equal(calls.length, 1);
    return paramsOf(Command.for('paint-wall'), calls[0] as Words, false);
}

async function helpOf(words: string[]): Promise<string> {
    const { program, output } = makeProgram();
    await assert.rejects(
        run(program, words),
        (error) => error instanceof CommanderError && error.exitCode === 0,
    );
    return output.join('');
}

function run(program: Program, words: string[]): Promise<unknown> {
    return Promise.resolve().then(() => program.parseAsync(readWords(program, words), { from: 'user' }));
}

function makeProgram(params = OPTIONS, mixin: object = {}) {
    Command.unregister('paint-wall');
    Command.register('paint-wall', {
        meta(this: typeof Command) {
            this.assignProps({ description: 'Paints a wall.', example: 'pinstripe-bot paint-wall kitchen' });
            for (const [name, param] of Object.entries(params)) this.hasParam(name, param);
        },
    });
    Command.register('paint-wall', mixin);
    const calls: Words[] = [];
    const output: string[] = [];
    const errors: string[] = [];
    const program = createProgram().configureOutput({
        writeOut: (text) => output.push(text),
        writeErr: (text) => errors.push(text),
        getOutHelpWidth: () => 120,
    });
    addFrameworkCommands(
        program,
        Command,
        { heading: 'Project:', names: Command.names },
        async (_name, words) => {
            calls.push(words);
        },
    );
    return { program, calls, output, errors, registry: Command };
}
