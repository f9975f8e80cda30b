import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandParam, CommandRegistry } from '../../types/framework.js';

/** The words that the command line has for each parameter, before the framework gives them their types. */
export type Words = Record<string, string[]>;

const INTERACTIVE: CommandParam = {
    type: 'boolean',
    optional: true,
    alias: 'i',
    description: 'Prompt for the parameters.',
};

/**
 * Declares a framework command's parameters to commander: each as `--its-name`, and as a word of its own where its
 * alias is `arg1`, `arg2`, and so on. Whether a parameter is required is left to the framework, which may prompt for it.
 *
 * @param command commander's command
 * @param definition the framework command's class
 * @returns reads the words after parsing; a parameter that was not given is not among them
 */
export function declareParams(command: Command, definition: CommandRegistry): () => Words {
    const options = new Map<string, Option>();
    for (const [name, param] of Object.entries(definition.params)) {
        const option = makeOption(command, definition.normalizeName(name), param);
        if (command.options.some(({ long }) => long === option.long)) continue;
        command.addOption(option);
        options.set(name, option);
    }
    if (!definition.params['interactive']) {
        const interactive = makeOption(command, 'interactive', INTERACTIVE);
        command.addOption(interactive);
        options.set('interactive', interactive);
    }
    const positionals = positionalsOf(definition.params);
    for (const name of positionals) {
        const param = definition.params[name] as CommandParam;
        command.addArgument(new Argument(`[${definition.normalizeName(name)}]`).argParser(parserOf(param)));
    }
    command.usage(usageOf(command, definition, positionals));

    return () => {
        const words: Words = {};
        for (const [name, option] of options) {
            const value: string[] | undefined = command.getOptionValue(option.attributeName());
            if (value !== undefined) words[name] = value;
        }
        for (const [index, name] of positionals.entries()) {
            const value: string[] | undefined = command.processedArgs[index];
            if (value === undefined) continue;
            if (Object.hasOwn(words, name)) {
                command.error(
                    `error: '${name}' is given twice: as ${options.get(name)?.long} and as '${value.join(' ')}'`,
                );
            }
            words[name] = value;
        }
        return words;
    };
}

/**
 * Gives the words their types, as the framework does.
 *
 * @param definition the framework command's class
 * @param words what the command line has
 * @param isTerminal whether there is somebody to prompt
 * @returns the params for `runCommand`
 */
export function paramsOf(
    definition: CommandRegistry,
    words: Words,
    isTerminal: boolean,
): Record<string, unknown> {
    const required = Object.values(definition.params).filter(({ optional }) => !optional).length;
    const isPrompting =
        words['interactive'] !== undefined || (isTerminal && Object.keys(words).length < required);
    // Once it has prompted, the framework gives all params their types, those it was handed too: it needs words then.
    return isPrompting ? words : definition.coerceParams(words);
}

function makeOption(command: Command, name: string, param: CommandParam): Option {
    const flag = flags(command, `--${name}`, param.alias);
    const option = new Option(`${flag} ${placeholderOf(param)}`, describe(param));
    // To commander `--no-x` switches `--x` off. Here it is a parameter like any other.
    option.negate = false;
    if (param.choices) option.choices(param.choices);
    return option.argParser(parserOf(param));
}

function flags(command: Command, long: string, alias: string | undefined): string {
    const short = `-${alias}`;
    const isFree = /^-[A-Za-z]$/.test(short) && !command.options.some((option) => option.short === short);
    return isFree ? `${short}, ${long}` : long;
}

function placeholderOf({ type }: CommandParam): string {
    if (type === 'boolean') return '[boolean]';
    return type === 'number' ? '<number>' : `<${type}...>`;
}

function describe(param: CommandParam): string {
    const notes = [
        ...(param.optional ? [] : ['required']),
        ...(param.default === undefined ? [] : [`default: ${JSON.stringify(param.default)}`]),
    ];
    const note = notes.length === 0 ? '' : `(${notes.join(', ')})`;
    return [param.description, note].filter(Boolean).join(' ');
}

function parserOf({ type, choices }: CommandParam): (word?: string, earlier?: string[]) => string[] {
    // Commander hands over no word for a flag in a bunch, such as the j in -fj.
    return (word = 'true', earlier = []) => {
        if (choices && !choices.includes(word)) {
            throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
        }
        if (type === 'boolean' && word !== 'true' && word !== 'false') {
            throw new InvalidArgumentError('It must be true or false.');
        }
        if (type === 'number' && (word.trim() === '' || !Number.isFinite(Number(word)))) {
            throw new InvalidArgumentError('It must be a number.');
        }
        return type === 'boolean' || type === 'number' ? [word] : [...earlier, word];
    };
}

function positionalsOf(params: Record<string, CommandParam>): string[] {
    const place = ({ alias }: CommandParam): number =>
        Number(/^arg(\d+)$/.exec(alias ?? '')?.[1] ?? Number.NaN);
    return Object.entries(params)
        .filter(([, param]) => !Number.isNaN(place(param)))
        .sort(([, a], [, b]) => place(a) - place(b))
        .map(([name]) => name);
}

function usageOf(command: Command, definition: CommandRegistry, positionals: string[]): string {
    const words = positionals.map((name) => {
        const word = definition.normalizeName(name);
        return definition.params[name]?.optional ? `[${word}]` : `<${word}>`;
    });
    const required = Object.entries(definition.params)
        .filter(([name, { optional }]) => !optional && !positionals.includes(name))
        .map(
            ([name]) =>
                command.options.find(({ long }) => long === `--${definition.normalizeName(name)}`)?.flags,
        );
    return [...words, ...required, '[options]'].join(' ');
}
