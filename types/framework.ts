/**
 * The parts of the Pinstripe framework that pinstripe-bot uses. The framework publishes no types; these describe what 0.37.0
 * does.
 */

/** The headers and parameters with which a workspace was opened; `_headers['x-tenant-id']` is a tenant. */
export interface InitialParams {
    _method: string;
    _url: URL;
    _headers: Record<string, any>;
    [name: string]: any;
}

/** What a workspace's services share: values kept here that have `destroy()` are destroyed when it ends. */
export interface Context {
    root: Context;
    [name: string]: any;
}

/**
 * The services of the framework and of the app (`this.database`, `this.sendMail`, ...). An app may describe its own with
 * `declare module 'pinstripe-bot' { interface Services { database: Database } }`.
 */
export interface Services {
    readonly context: Context;
    readonly initialParams: InitialParams;
    [service: string]: any;
}

/** What `include` and `register` take: `meta()` runs on the class, everything else is copied to its prototype. */
export type Mixin = object;

/** A class of the framework's own class system. */
export interface FrameworkClass {
    readonly name: string;
    readonly prototype: any;
    extend(name?: string): any;
    include(...mixins: Mixin[]): this;
    assignProps(...sources: object[]): this;
}

/** Classes by name, made of the mixins that were registered under it. */
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
    /** Its value in the help of `pinstripe-bot`: `time` makes it `--at <time>`. Default: its name. */
    placeholder?: string;
}

/** The registry of commands, and a command's class. */
export interface CommandRegistry extends Registry {
    binaryName: string;
    readonly params: Record<string, CommandParam>;
    readonly description?: string;
    /** Replaces the description in the help of `pinstripe-bot`, for commands that extend the framework's own. */
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
