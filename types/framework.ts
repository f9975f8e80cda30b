/**
 * The shapes of the Pinstripe framework that pinstripe-bot uses. The framework publishes no types of its own,
 * so these are written down from what 0.37.0 does; they are plain interfaces, published under our own name.
 */

/** The headers and parameters a workspace was opened with; a tenant stands in `_headers['x-tenant-id']`. */
export interface InitialParams {
    _method: string;
    _url: URL;
    _headers: Record<string, any>;
    [name: string]: any;
}

/** What a workspace's services share: values kept here that have `destroy()` are destroyed when it ends. */
export interface Context {
    root: Context;
    parent?: Context;
    [name: string]: any;
}

/**
 * The services of the framework and of the app (`this.database`, `this.sendMail`, ...). An app may describe its
 * own with `declare module 'pinstripe-bot' { interface Services { database: Database } }`.
 */
export interface Services {
    readonly context: Context;
    readonly initialParams: InitialParams;
    [service: string]: any;
}

/** A mixin, as `include` and `register` take it: `meta()` runs on the class, all else lands on its prototype. */
export type Mixin = object;

/** A class of the framework's own class system. */
export interface FrameworkClass {
    readonly name: string;
    readonly prototype: any;
    extend(name?: string): any;
    include(...mixins: Mixin[]): this;
    assignProps(...sources: object[]): this;
}

/** A registry: classes by name, made of the mixins that were registered under it. */
export interface Registry extends FrameworkClass {
    readonly names: string[];
    readonly mixins: Record<string, Mixin>;
    readonly filePaths: string[];
    readonly FileImporter: Registry;
    for(name: string): any;
    create(name: string, ...args: any[]): any;
    register(name: string, mixin?: Mixin): void;
    unregister(name: string): void;
    normalizeName(name: string): string;
    importFile(file: { dirPath: string; filePath: string }): Promise<void>;
    addHook(names: string | string[], callback: string | ((...args: any[]) => unknown)): void;
}

/** One parameter of a command, as `hasParam` declares it. */
export interface CommandParam {
    type: string;
    optional: boolean;
    alias?: string;
    description?: string;
    default?: unknown;
    choices?: string[];
    /** What the help of `pinstripe-bot` shows for its value: `time` makes it `--at <time>`. Default: its name. */
    placeholder?: string;
}

/** The registry of commands, and a command's class. */
export interface CommandRegistry extends Registry {
    binaryName: string;
    readonly params: Record<string, CommandParam>;
    readonly description?: string;
    /** What `pinstripe-bot` says in place of the description: of a command that the framework has, too, that is its own. */
    readonly summary?: string;
    readonly example?: string;
    hasParam(name: string, options?: Partial<CommandParam>): void;
    extractParams(args: string[]): Record<string, string[]>;
    coerceParams(params: Record<string, string[]>): Record<string, any>;
    run(context: Context, name?: string, params?: string[] | Record<string, any>): Promise<void>;
}

/** `this` inside a command's `run()`. */
export interface CommandInstance extends Services {
    readonly params: Record<string, any>;
    setValidationError(name: string, message: string): unknown;
}

/** The framework's `Workspace`: opens a context of its own for `fn` and destroys it afterwards. */
export interface WorkspaceClass {
    run<T>(fn: (this: Services) => T | Promise<T>, parentContext?: Context): Promise<T>;
}

/** The project around the current directory. */
export interface ProjectInstance {
    readonly exists: boolean;
    readonly name: string;
    readonly rootPath?: string;
}

/** What the framework's commands throw when `validation` hooks set errors: a message for each parameter. */
export interface ValidationError extends Error {
    errors: Record<string, string>;
}
