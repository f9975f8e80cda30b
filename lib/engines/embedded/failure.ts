/**
 * What kind of trouble a database has:
 * - `locked`: another process writes; it passes;
 * - `unwritable`: the folder, the disk or the file's rights do not let it be written;
 * - `corrupt`: the file is no journal any more;
 * - `other`: anything else.
 */
export type FailureKind = 'locked' | 'unwritable' | 'corrupt' | 'other';

// The primary result codes of SQLite (https://www.sqlite.org/rescode.html); the extended ones hold them in their low byte.
const KINDS: Record<number, FailureKind> = {
    3: 'unwritable', // PERM
    5: 'locked', // BUSY
    6: 'locked', // LOCKED
    8: 'unwritable', // READONLY
    10: 'unwritable', // IOERR
    11: 'corrupt', // CORRUPT
    13: 'unwritable', // FULL
    14: 'unwritable', // CANTOPEN
    26: 'corrupt', // NOTADB
};

/** Tells what kind of trouble an error of libsql means. */
export function kindOf(error: unknown): FailureKind {
    const { rawCode, message = '' } = error as { rawCode?: number; message?: string };
    // An error on opening has its code in the text only: `ConnectionFailed("...: 14")`.
    const code = rawCode ?? Number(/^ConnectionFailed\(.*: (\d+)"\)$/.exec(message)?.[1]);
    return KINDS[code & 0xff] ?? 'other';
}
