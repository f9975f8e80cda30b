import type { Context } from '../../types/framework.js';
import { ContextClass } from '../framework.js';
import { type ErrorRecord, readError } from '../text/errors.js';

/**
 * Destroys what a workspace's services left on its context. The framework does the same when a workspace ends, but
 * stops at the first `destroy()` that throws and leaves the rest open; here each gets its turn, and is taken off the
 * context, so that the framework finds nothing left to do. What is no resource stays: code that a job did not wait for
 * still finds its tenant there.
 *
 * @param failed hears of each `destroy()` that throws
 */
export async function destroyContext(context: Context, failed: (error: ErrorRecord) => void): Promise<void> {
    for (const name of Object.keys(context)) {
        if (name === 'root' || name === 'parent') continue;
        try {
            const resource: unknown = await context[name];
            // The framework stumbles over a null.
            if (resource === null) delete context[name];
            if (!isDestroyable(resource)) continue;
            delete context[name];
            await resource.destroy();
        } catch (error) {
            delete context[name];
            failed(readError(error));
        }
    }
}

function isDestroyable(resource: unknown): resource is { destroy(): unknown } {
    if (typeof resource !== 'object' || resource === null || resource instanceof ContextClass) return false;
    return typeof (resource as { destroy?: unknown }).destroy === 'function';
}
