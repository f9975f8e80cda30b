import assert from 'node:assert/strict';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import fs from 'fs-extra';
import { PACKAGE } from './pack.js';

/** With UPDATE_GOLDENS=1 what is printed is written to the files: read them before you commit. */
const IS_UPDATING = process.env['UPDATE_GOLDENS'] === '1';

/** Compares an output with a file that somebody has read and found good: `test/goldens/<name>.txt`. */
export async function assertGolden(name: string, output: readonly string[] | string): Promise<void> {
    const path = join(PACKAGE, 'test/goldens', `${name}.txt`);
    const text = typeof output === 'string' ? output : `${output.join('\n')}\n`;
    const plain = stripVTControlCharacters(text).replaceAll('\r\n', '\n');
    if (IS_UPDATING) await fs.outputFile(path, plain);
    assert.equal(plain, await fs.readFile(path, 'utf8'), name);
}
