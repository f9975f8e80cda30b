import { join, relative } from 'node:path';
import fs from 'fs-extra';
import { PACKAGE } from './pack.js';

/** A block of code on a page of the documentation. */
export interface CodeBlock {
    /** The page's path, from the root of this package. */
    readonly page: string;
    /** The line of its first line on the page. */
    readonly line: number;
    /** What stands behind the three backticks; empty for what is no code. */
    readonly language: string;
    readonly code: string;
    /** The file that its first line names, in an app: `// lib/background_jobs/my_task.js`. */
    readonly file: string | undefined;
}

/** Finds all blocks of code of README.md and docs/. */
export async function codeBlocks(): Promise<CodeBlock[]> {
    const docs = (await fs.readdir(join(PACKAGE, 'docs'), { encoding: 'utf8', recursive: true })).sort();
    const inDocs = docs.filter((name) => name.endsWith('.md')).map((name) => join(PACKAGE, 'docs', name));
    const pages = [join(PACKAGE, 'README.md'), ...inDocs];
    const blocks = pages.map(async (path) =>
        blocksOf(relative(PACKAGE, path), await fs.readFile(path, 'utf8')),
    );
    return (await Promise.all(blocks)).flat();
}

function blocksOf(page: string, text: string): CodeBlock[] {
    return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(
        ({ index, 1: language = '', 2: code = '' }) => ({
            page,
            line: text.slice(0, index).split('\n').length + 1,
            language,
            code,
            file: /^\/\/ ([\w/.-]+\.js)\b/.exec(code)?.[1],
        }),
    );
}
