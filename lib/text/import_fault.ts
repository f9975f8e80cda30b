import { pathToFileURL } from 'node:url';
import { type ErrorRecord, readError } from './errors.js';

/** Node reports this as a SyntaxError, too, although the code of both files is valid. */
const MISSING_EXPORT = /does not provide an export named|^Named export /;

/** What Node says of a TypeScript file if it cannot strip types. */
const UNKNOWN_TYPESCRIPT = /^Unknown file extension "\.ts" for (.*)$/;

/** Why a file could not be imported. */
export interface ImportFault {
    readonly kind: 'import-failed' | 'typescript-unsupported';
    readonly reason: string;
    /** What to do, if the reason ends with it. */
    readonly cure?: string;
    /** The line of the file, if it is known. */
    readonly line?: number | undefined;
}

/** What is wrong and what to do, if this Node has refused to import a file because it is TypeScript. */
export function typescriptRefusal(error: unknown): { reason: string; cure: string } | undefined {
    const file = UNKNOWN_TYPESCRIPT.exec(readError(error).message)?.[1];
    if (file === undefined) return undefined;
    return {
        reason: `Node ${process.version} cannot import ${file}`,
        cure: "use Node 22.18 or newer, or install tsx and set NODE_OPTIONS='--import tsx', or write it in JavaScript",
    };
}

/**
 * Says why a file could not be imported.
 *
 * @param error what importing it threw
 * @param filePath absolute
 */
export async function importFault(error: unknown, filePath: string): Promise<ImportFault> {
    const refusal = typescriptRefusal(error);
    if (refusal !== undefined) {
        const { reason, cure } = refusal;
        return { kind: 'typescript-unsupported', reason: `cannot be imported: ${reason}: ${cure}`, cure };
    }
    const record = readError(error);
    const { name } = record;
    // A compiler's message may have several lines.
    const message = record.message.trim().replace(/\s*\n\s*/g, ' ');
    const isBadCode = name === 'SyntaxError' && !MISSING_EXPORT.test(message);
    const told = lineInStack(record, filePath);
    const line = told ?? (isBadCode ? await lineOfSyntaxError(filePath) : undefined);
    const place = isBadCode ? (line === undefined ? ' in a module it imports' : ` in line ${line}`) : '';
    return { kind: 'import-failed', reason: `cannot be imported: ${name}${place}: ${message}`, line };
}

// import() does not say where a syntax error is; `node --check` prints it: `file:3`.
async function lineOfSyntaxError(filePath: string): Promise<number | undefined> {
    const { execFile } = await import('node:child_process');
    return new Promise((resolve) => {
        execFile(process.execPath, ['--check', filePath], (error, _stdout, stderr) => {
            const line = error ? /:(\d+)$/m.exec(stderr)?.[1] : undefined;
            resolve(line === undefined ? undefined : Number(line));
        });
    });
}

/**
 * The first line of a file that the message or the stack of an error names.
 *
 * @param file absolute
 */
export function lineInStack(
    { message, stack }: Pick<ErrorRecord, 'message' | 'stack'>,
    file: string | undefined,
): number | undefined {
    if (file === undefined) return undefined;
    const text = `${message}\n${stack}`;
    const places = [pathToFileURL(file).href, file].flatMap((name) => {
        const at = text.indexOf(`${name}:`);
        return at === -1 ? [] : [{ at, rest: text.slice(at + name.length) }];
    });
    const [first] = places.sort((a, b) => a.at - b.at);
    const line = /^:(\d+)/.exec(first?.rest ?? '')?.[1];
    return line === undefined ? undefined : Number(line);
}
