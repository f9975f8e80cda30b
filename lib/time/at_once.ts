/**
 * Goes on with a value: at once where it is known, which spares a second with a thousand claims a thousand promises.
 *
 * @param value a value, or a promise of it
 * @param next what to do with it
 * @returns what `next` returned, or a promise of it
 */
export function andThen<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
    return value instanceof Promise ? value.then(next) : next(value);
}
