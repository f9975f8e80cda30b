// The framework publishes no types: these ambient modules give its exports the shapes of types/framework.ts.
// They are for our own build only; nothing that is published may mention them.
declare module 'pinstripe' {
    import type {
        CommandRegistry,
        FrameworkClass,
        ProjectInstance,
        Registry,
        WorkspaceClass,
    } from './framework.js';

    export const Command: CommandRegistry;
    export const Context: new () => import('./framework.js').Context;
    export const ImportableRegistry: object;
    export const Job: Registry & { run(name: string, params?: object): Promise<void> };
    export const Project: FrameworkClass & { readonly instance: Promise<ProjectInstance> };
    export const ServiceFactory: Registry & { Consumerable: object };
    export const View: Registry;
    export const Workspace: WorkspaceClass;
    export function importAll(...paths: string[]): Promise<void>;
}

declare module '@pinstripe/utils' {
    import type { FrameworkClass } from './framework.js';

    export const Class: FrameworkClass;
    export const inflector: {
        camelize(value: string): string;
        dasherize(value: string): string;
        snakeify(value: string): string;
    };
}

declare module 'haberdash' {
    export const Hookable: object;
    export const ValidationError: new (
        errors?: Record<string, string>,
    ) => import('./framework.js').ValidationError;
}
