// The part of libsql that is used: 0.5 is published without its types. For our own build only, like pinstripe.d.ts.
declare module 'libsql' {
    import type { Statement } from '../lib/journal/database.js';

    export default class Database {
        constructor(path: string);
        prepare(sql: string): Statement;
        exec(sql: string): void;
        pragma(source: string): any[];
        close(): void;
        readonly inTransaction: boolean;
    }
}
