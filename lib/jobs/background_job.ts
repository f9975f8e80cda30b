import { LRUCache } from 'lru-cache';
import type {
    BackgroundJobInstance,
    BackgroundJobRegistry,
    BackgroundJobSettings,
    BackgroundJobShape,
} from '../../types/background_job.js';
import type { Context } from '../../types/framework.js';
import { Class, Hookable, ImportableRegistry, inflector, ServiceFactory } from '../framework.js';
import { importJobFile, isScript } from './job_file.js';
import { noteScheduleCall } from './schedule_call.js';

interface Base extends BackgroundJobRegistry {
    schedules: unknown[][];
    _schedules?: unknown[][];
}

const consumerable = ServiceFactory.Consumerable as { initialize(this: object, context: Context): object };

// Each run looks its job up several times, and the framework takes longer for a name than all else that is looked at.
const spellings = new LRUCache<string, string>({
    max: 1_000,
    memoMethod: (name) => inflector.dasherize(name),
});

const revisions = new Map<string, number>();
let revision = 0;

/**
 * The registry of background jobs, like the framework's own: `names`, `for(name)`, `register`, `unregister`, `create`. Files
 * below `lib/background_jobs/` are found by their names. A job's class holds its schedules.
 */
export const BackgroundJob: BackgroundJobRegistry = Class.extend('BackgroundJob').include({
    meta(this: Base) {
        this.include(ImportableRegistry);
        this.include(Hookable);
        this.include(ServiceFactory.Consumerable);

        this.assignProps(takesAnyName());
        this.FileImporter.assignProps(takesAnyName());

        const { register, unregister, normalizeMixin, importFile } = this as unknown as {
            register: BackgroundJobRegistry['register'];
            unregister: BackgroundJobRegistry['unregister'];
            importFile: BackgroundJobRegistry['importFile'];
            normalizeMixin(name: string, mixin: object, previous?: object): object;
        };

        this.assignProps({
            // The framework's own skips some scripts silently.
            importFile(this: Base, file: { dirPath: string; filePath: string }) {
                return isScript(file.filePath) ? importJobFile(this, file) : importFile.call(this, file);
            },

            normalizeName(name: string) {
                return spellings.memo(name);
            },

            get schedules(): unknown[][] {
                const job = this as unknown as Base;
                if (!Object.hasOwn(job, '_schedules')) job._schedules = [];
                return job._schedules ?? [];
            },

            schedule(this: Base, ...declaration: unknown[]) {
                this.schedules.push(declaration);
                noteScheduleCall(declaration);
                return this;
            },

            get revision() {
                return revision;
            },

            changedSince(since: number) {
                return [...revisions].filter(([, changedAt]) => changedAt > since).map(([name]) => name);
            },

            register(this: Base, name: string, mixin?: object) {
                register.call(this, name, mixin);
                revisions.set(this.normalizeName(name), ++revision);
            },

            unregister(this: Base, name: string) {
                unregister.call(this, name);
                revisions.set(this.normalizeName(name), ++revision);
            },

            // The framework builds a class when it is first asked for. A meta() that throws would end every loop
            // over the registry, so what it throws is kept on the class instead.
            normalizeMixin(name: string, mixin: object, previous?: object) {
                return {
                    meta(this: { include(mixin: object): void; metaError?: unknown }) {
                        try {
                            this.include(normalizeMixin.call(BackgroundJob, name, mixin, previous));
                        } catch (error) {
                            this.metaError = error ?? new Error('meta() threw nothing');
                        }
                    },
                };
            },
        });
    },

    // Set before the framework wraps the instance in its proxies: through them it would take ten times as long.
    initialize(this: object, context: Context, run: Pick<BackgroundJobInstance, 'signal' | 'currentRun'>) {
        Object.assign(this, run);
        return consumerable.initialize.call(this, context);
    },

    run(this: { constructor: { name: string } }) {
        throw new Error(`There is no background job "${this.constructor.name}".`);
    },
});

// The framework keeps a registry in plain objects, in which `constructor` finds what every object inherits.
function takesAnyName(): object {
    return {
        mixins: Object.create(null),
        cache: { classes: Object.create(null) },

        clearCache(this: { registry: { cache: object } }) {
            this.registry.cache = { classes: Object.create(null) };
        },
    };
}

/**
 * Gives a job's definition its types: `this` is known inside `meta()`, `run()` and the job's own helpers. It returns what it
 * is given, for the default export of a job file.
 */
export function defineBackgroundJob<Definition extends BackgroundJobSettings>(
    definition: Definition & BackgroundJobShape & ThisType<BackgroundJobInstance & Definition>,
): Definition & BackgroundJobShape {
    return definition;
}
