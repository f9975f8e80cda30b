import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandParam, CommandRegistry } from '../../types/framework.js';

/** The words on the command line for each parameter, before the framework gives them their types. */
export type Words = Record<string, string[]>;

const INTERACTIVE: CommandParam = {
    type: 'boolean',
    optional: true,
    alias: 'i',
    description: 'Prompt for the parameters.',
};

/**
 * Declares a framework command's parameters to commander: each as `--its-name`, and as a positional word if its alias is
 * `arg1`, `arg2`, and so on. The framework itself checks what is required, because it may prompt for it.
 *
 * @returns reads the words of the parameters that were given, after parsing
 */
export function declareParams(command: Command, definition: CommandRegistry): () => Words {
    const { interactive = INTERACTIVE } = definition.params;
    for (const [name, param] of Object.entries({ ...definition.params, interactive })) {
        const option = optionOf(command, definition.normalizeName(name), param);
        if (!command.options.some(({ long }) => long === option.long)) command.addOption(option);
    }
    const place = ({ alias = '' }: CommandParam) => Number(/^arg(\d+)$/.exec(alias)?.[1] ?? 0);
    const positionals = Object.entries(definition.params)
        .filter(([, param]) => place(param) > 0)
        .sort(([, a], [, b]) => place(a) - place(b));
    const usage = positionals.map(([name, param]) => {
        const word = definition.normalizeName(name);
        command.argument(`[${word}]`, '', parserOf(param));
        return param.optional ? `[${word}]` : `<${word}>`;
    });
    command.usage([...usage, '[options]'].join(' '));

    return () => {
        const words: Words = { ...command.opts() };
        for (const [index, [name]] of positionals.entries()) {
            const value: string[] | undefined = command.processedArgs[index];
            if (value === undefined) continue;
            const option = `--${definition.normalizeName(name)}`;
            if (Object.hasOwn(words, name))
                command.error(`error: '${name}' is given twice: as ${option} and as '${value.join(' ')}'`);
            words[name] = value;
        }
        return words;
    };
}

/** Gives the words their types for `runCommand`, as the framework does. */
export function paramsOf(definition: CommandRegistry, words: Words, isTerminal: boolean): object {
    const required = Object.values(definition.params).filter(({ optional }) => !optional).length;
    const isPrompting = 'interactive' in words || (isTerminal && Object.keys(words).length < required);
    // After a prompt, the framework gives all params their types, including those that it was passed: so pass words.
    return isPrompting ? words : definition.coerceParams(words);
}

/**
 * Writes `--json=true` for `--json` and `--json true`, for each flag of a command: commander would take any word that follows
 * a flag for its value.
 */
export function withFlagValues(command: Command, words: readonly string[]): string[] {
    const end = words.includes('--') ? words.indexOf('--') : words.length;
    const isBoolean = (word = '') => ['true', 'false'].includes(word);
    const optionAt = (index: number) => command.options.find((option) => isNamed(option, words[index]));
    return words.flatMap((word, index) => {
        const [before, option, next] = [optionAt(index - 1), optionAt(index), words[index + 1]];
        if (index < end && before?.optional && isBoolean(word)) return [];
        if (index >= end || before?.required || !option?.optional) return word;
        return `${option.long}=${isBoolean(next) ? next : 'true'}`;
    });
}

function optionOf(command: Command, name: string, param: CommandParam): Option {
    const { type, alias, placeholder = type === 'number' ? type : name, choices } = param;
    const { description = '', optional, default: usual } = param;
    const short = `-${alias}`;
    const isFree = /^-[A-Za-z]$/.test(short) && !command.options.some((option) => option.short === short);
    const value = { boolean: '[boolean]', number: `<${placeholder}>` }[type] ?? `<${placeholder}...>`;
    const notes = [!optional && 'required', usual !== undefined && `default: ${JSON.stringify(usual)}`];
    const note = notes.filter(Boolean).join(', ');
    const text = note === '' ? description : `${description} (${note})`.trimStart();
    const option = new Option(`${isFree ? `${short}, ` : ''}--${name} ${value}`, text);
    // To commander, `--no-x` switches `--x` off. Here it is a parameter like any other.
    option.negate = false;
    if (choices) option.choices(choices);
    const parse = parserOf(param);
    return option.argParser((word: string, earlier?: string[]) => {
        const named = word?.split('=', 1)[0] ?? '';
        if (/^(-h|--help)$/.test(named) || command.options.some((other) => isNamed(other, named)))
            throw new InvalidArgumentError('It is an option itself.');
        return parse(word, earlier);
    });
}

function isNamed({ short, long }: Option, word = ''): boolean {
    return word === short || word === long;
}

function parserOf({ type, choices }: CommandParam): (word?: string, earlier?: string[]) => string[] {
    // Commander passes no word for a flag in a group, such as the j in -fj.
    return (word = 'true', earlier = []) => {
        if (choices && !choices.includes(word))
            throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
        if (type === 'boolean' && word !== 'true' && word !== 'false')
            throw new InvalidArgumentError('It must be true or false.');
        if (type === 'number' && (word.trim() === '' || !Number.isFinite(Number(word))))
            throw new InvalidArgumentError('It must be a number.');
        return type === 'boolean' || type === 'number' ? [word] : [...earlier, word];
    };
}
