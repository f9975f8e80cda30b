import type { Command, Option } from 'commander';

/**
 * Brings the words of a command line into the form that commander reads: `help x` becomes `x --help`, a command's name
 * its own spelling, and a flag takes the next word for its value only where that is `true` or `false`.
 *
 * @param program the program with its commands
 * @param words what was typed
 * @param normalizeName gives a command's name its own spelling
 * @returns the words to parse
 * @throws CommanderError where an option that needs a value is followed by another option of its command
 */
export function readWords(
    program: Command,
    words: readonly string[],
    normalizeName: (name: string) => string,
): string[] {
    const [first, ...rest] = words;
    if (first === undefined) return ['--help'];
    if (first === 'help') return readWords(program, [...rest, '--help'], normalizeName);
    const name = normalizeName(first);
    const command = first.startsWith('-')
        ? undefined
        : program.commands.find((candidate) => candidate.name() === name);
    if (command !== undefined) return [name, ...readOptions(command, rest)];
    // Commander would rather help than say that it knows no such command.
    return first.startsWith('-') ? [...words] : [first];
}

function readOptions(command: Command, words: readonly string[]): string[] {
    const read: string[] = [];
    for (let index = 0; index < words.length; index++) {
        const word = words[index] as string;
        const next = words[index + 1];
        if (word === '--') return [...read, ...words.slice(index)];
        const option = optionNamed(command, word);
        if (option === undefined) {
            read.push(word);
        } else if (option.optional) {
            const isValue = next === 'true' || next === 'false';
            read.push(`${option.long}=${isValue ? next : 'true'}`);
            if (isValue) index++;
        } else if (option.required && next !== undefined) {
            if (isFlagOf(command, next)) command.error(`error: option '${option.flags}' argument missing`);
            read.push(word, next);
            index++;
        } else {
            read.push(word);
        }
    }
    return read;
}

function optionNamed(command: Command, word: string): Option | undefined {
    return command.options.find(({ short, long }) => word === short || word === long);
}

function isFlagOf(command: Command, word: string): boolean {
    return (
        ['-h', '--help'].includes(word) || optionNamed(command, word.split('=', 1)[0] as string) !== undefined
    );
}
