/** The only file that imports the framework. Everything else gets it from here, with types. */
import * as utils from '@pinstripe/utils';
import * as haberdash from 'haberdash';
import * as pinstripe from 'pinstripe';
import type {
    CommandRegistry,
    Context,
    FrameworkClass,
    Registry,
    WorkspaceClass,
} from '../types/framework.js';

export const Command: CommandRegistry = pinstripe.Command;

export const ServiceFactory: Registry & { Consumerable: object } = pinstripe.ServiceFactory;

/** What answers requests, by path. */
export const View: Registry = pinstripe.View;

export const Workspace: WorkspaceClass = pinstripe.Workspace;

/** What a workspace's services share. */
export const ContextClass: new () => Context = pinstripe.Context;

/** The mixin that makes a class a registry whose members are found by filename. */
export const ImportableRegistry: object = pinstripe.ImportableRegistry;

/** The mixin that gives a class `addHook` and `runHook`. */
export const Hookable: object = haberdash.Hookable;

/** The root of the framework's class system. */
export const Class: FrameworkClass = utils.Class;

/** Changes the spelling of names, as the framework does for filenames. */
export const inflector: {
    camelize(value: string): string;
    dasherize(value: string): string;
    snakeify(value: string): string;
} = utils.inflector;

/** The project around the current directory. */
export const Project: { readonly instance: Promise<{ readonly rootPath?: string }> } = pinstripe.Project;

/** Imports every file below the queued folders. */
export const importAll: (...paths: string[]) => Promise<void> = pinstripe.importAll;

/** Whether an error is the framework's answer to bad parameters: `errors` has a message for each. */
export function isValidationError(error: unknown): error is Error & { errors: Record<string, string> } {
    return error instanceof haberdash.ValidationError;
}
