import type { Context } from '../types/framework.js';
import { ContextClass } from './host.js';
import { toError } from './stray_errors.js';

/**
 * Destroys what a workspace's services left on its context. The framework does the same when a workspace ends, but
 * stops at the first `destroy()` that throws and leaves the rest open; here each gets its turn, and is taken off the
 * context, so that the framework finds nothing left to do.
 *
 * @param context a root context
 * @param failed hears of each `destroy()` that throws
 */
export async function destroyContext(context: Context, failed: (error: Error) => void): Promise<void> {
    const names = Object.keys(context).filter((name) => name !== 'root' && name !== 'parent');
    for (const name of names) {
        try {
            const resource = await context[name];
            if (isDestroyable(resource)) await resource.destroy();
        } catch (error) {
            failed(toError(error));
        }
    }
    for (const name of names) delete context[name];
}

function isDestroyable(resource: unknown): resource is { destroy(): unknown } {
    if (typeof resource !== 'object' || resource === null || resource instanceof ContextClass) return false;
    return typeof (resource as { destroy?: unknown }).destroy === 'function';
}
