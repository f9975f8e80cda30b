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
        [['--name=wall'], { name: 'wall' }],
        [['wall', '--host', 'a:1', 'b:2'], { name: 'wall', host: 'a:1 b:2' }],
        [['wall', '--host', 'a:1', '--host', 'b:2'], { name: 'wall', host: 'a:1 b:2' }],
        [['--host', 'a:1', '--name', 'my', 'wall'], { host: 'a:1', name: 'my wall' }],
        [['--host=', 'wall'], { name: 'wall', host: '' }],
        [['wall', '--json'], { name: 'wall', json: true }],
        [['wall', '--json', 'true'], { name: 'wall', json: true }],
        [['wall', '--json', 'false'], { name: 'wall', json: false }],
        [['wall', '--json=false'], { name: 'wall', json: false }],
        [['--json', 'wall'], { name: 'wall', json: true }],
        [['-j', 'wall'], { name: 'wall', json: true }],
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
        test(`${JSON.stringify(words)} gives ${JSON.stringify(params)}`, async () => {
            assert.deepEqual(await parse(['paint-wall', ...words]), params);
        });
    }

    test('means what it means to the framework', async () => {
        for (const [words] of lines.filter(([words]) => !isOursAlone(words))) {
            const params = await parse(['paint-wall', ...words]);
            const definition = Command.for('paint-wall');
            assert.deepEqual(
                params,
                definition.coerceParams(definition.extractParams(words)),
                words.join(' '),
            );
        }
    });

    for (const name of ['paint-wall', 'paint_wall', 'PaintWall', 'paintWall']) {
        test(`knows the command as ${name}`, async () => {
            assert.deepEqual(await parse([name, 'wall']), { name: 'wall' });
        });
    }

    const mistakes: [string[], RegExp][] = [
        [['paint-wal', 'x'], /unknown command 'paint-wal' \(did you mean paint-wall\?\)/],
        [['paint-wall', '--hots', 'x'], /unknown option '--hots' \(did you mean --host\?\)/],
        [['paint-wall', '--nmae', 'x'], /unknown option '--nmae' \(did you mean --name\?\)/],
        [['paint-wall', '--limit', 'many'], /argument 'many' is invalid\. It must be a number/],
        [['paint-wall', '--limit='], /argument '' is invalid\. It must be a number/],
        [['paint-wall', '--json=maybe'], /argument 'maybe' is invalid\. It must be true or false/],
        [['paint-wall', '--color', 'blue'], /Allowed choices are red, green/],
        [['paint-wall', '--host'], /option '--host <host\.\.\.>' argument missing/],
        [
            ['paint-wall', '--name', '--json'],
            /option '--name <name\.\.\.>' argument '--json' is invalid\. It is an option itself/,
        ],
        [['paint-wall', '--host', '-f'], /argument '-f' is invalid/],
        [['paint-wall', '--host', '--help'], /argument '--help' is invalid/],
        [['paint-wall', 'one', 'two'], /too many arguments for 'paint-wall'\. Expected 1 argument but got 2/],
        [['paint-wall', 'one', '--name', 'two'], /'name' is given twice: as --name and as 'one'/],
        [['--nonsense'], /unknown option '--nonsense'/],
        [['--paint-wall'], /unknown option '--paint-wall'/],
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

    test('takes definitions that contradict each other', async () => {
        const params = {
            one: { alias: 'h', optional: true },
            two: { alias: 'i', optional: true },
            three: { alias: 'i', optional: true },
            Three: { optional: true },
            version: { optional: true },
        };
        assert.deepEqual(await parse(['paint-wall', '-h', '1', '-i', '2', '--version', '3'], params), {
            one: '1',
            two: '2',
            version: '3',
        });
    });
});

describe('help', () => {
    test('lists every command below its heading, aligned, with its description', async () => {
        const help = await helpOf([]);
        assert.match(help, /^Usage: pinstripe-bot <command> \[options\]$/m);
        const lines = help
            .slice(help.indexOf('Project:'))
            .split('\n')
            .slice(1, Command.names.length + 1);
        assert.deepEqual(
            lines.map((line) => /^ {2}(\S+)/.exec(line)?.[1]),
            Command.names,
        );
    });

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
    const inApp = Object.assign(new Error('no paint'), {
        stack: [
            'Error: no paint',
            '    at mix (file:///app/lib/commands/mix.js:3:9)',
            '    at async run (file:///app/node_modules/pinstripe/lib/x.js:1:1)',
            '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
        ].join('\n'),
    });

    const bug = new TypeError('x is not a function');
    const tenants = new AggregateError([new Error('tenant 1'), new Error('tenant 2')], '2 tenants failed');
    const unsaved = new Error('not saved', { cause: new Error('disk full') });
    const failures: [what: string, error: unknown, root: string | undefined, text: string | undefined][] = [
        [
            'one line, and the places in the code of the app',
            inApp,
            '/app',
            'no paint\n    at lib/commands/mix.js:3:9',
        ],
        ['one line where the app is not involved', inApp, '/other', 'no paint'],
        ['one line where it is meant for the reader', new CliError('no paint'), '/app', 'no paint'],
        ['what was thrown', 'no paint', undefined, 'no paint'],
        ['a whole stack where it can only be a bug', bug, undefined, bug.stack],
        ['a line for each error of several', tenants, undefined, '2 tenants failed\n  tenant 1\n  tenant 2'],
        ['a line for its cause', unsaved, undefined, 'not saved\n  disk full'],
    ];
    for (const [what, error, root, text] of failures)
        test(`is ${what}`, () => assert.equal(describeFailure(error, root), text));
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
