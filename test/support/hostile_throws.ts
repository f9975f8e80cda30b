import assert from 'node:assert/strict';

/** What a job may throw, by what is nasty about it. Each is made anew, as some are used up by looking at them. */
export const HOSTILE_THROWS: Readonly<Record<string, () => unknown>> = {
    'an error whose stack is an array': () => errorWith({ stack: ['a'] }),
    'an error whose stack is a number': () => errorWith({ stack: 5 }),
    'an error whose stack is a String object': () => errorWith({ stack: Object('x') }),
    'an error without a stack': () => errorWith({ stack: undefined }),
    'an error whose name is a Symbol': () => errorWith({ name: Symbol('Nasty') }),
    'an error whose message is a Symbol': () => errorWith({ message: Symbol('no paper') }),
    'an error whose message is an object': () => errorWith({ message: { no: 'paper' } }),
    'an error whose code is a bigint': () => errorWith({ code: 5n }),
    ...Object.fromEntries(
        ['name', 'message', 'stack', 'cause', 'errors', 'code', 'toJSON', 'then'].map((property) => [
            `an error whose ${property} throws`,
            () => errorGetting(property, () => assert.fail(`not my ${property}`)),
        ]),
    ),
    'an error that throws itself when it is read': () =>
        errorGetting('message', function (this: Error) {
            throw this;
        }),
    'a frozen error': () => Object.freeze(new Error('no paper')),
    'an error without a prototype': () => Object.setPrototypeOf(new Error('no paper'), null),
    'an object that inherits from Error': () => Object.create(Error.prototype),
    'a revoked proxy of an error': () => revoked(new Error('no paper')),
    'a revoked proxy of an array': () => revoked([]),
    'a proxy whose every trap throws': () => trapped(new Error('no paper')),
    'a proxy of a function whose every trap throws': () => trapped(() => {}),
    'a proxy that is deeper the more it is asked': () => bottomless(),
    'an error caused by a proxy': () => new Error('no paper', { cause: trapped({}) }),
    'an error that is its own cause': () => {
        const error = new Error('no paper');
        return Object.assign(error, { cause: error, errors: [error, error] });
    },
    'an error with ever new causes': () => endless(),
    'an AggregateError of 1,000 errors': () =>
        new AggregateError(Array.from({ length: 1_000 }, (_, index) => new Error(`no paper ${index}`))),
    'an error whose errors are a revoked proxy': () => errorWith({ errors: revoked([]) }),
    'an error whose errors are no list': () => errorWith({ errors: { length: 1e15 } }),
    'a message of 10 MB': () => new Error('no paper '.repeat(1_200_000)),
    'a message of 10 MB of line ends': () => new Error('\n'.repeat(10_000_000)),
    'a name of 10 MB': () => errorWith({ name: 'x'.repeat(10_000_000) }),
    'a stack of 10 MB': () => errorWith({ stack: '    at x (file:///a.js:1:1)\n'.repeat(400_000) }),
    'a text of 10 MB': () => 'no paper '.repeat(1_200_000),
    'a NUL, an escape and half a character': () => new Error('no\0 \u001b[31mpaper \ud83d'),
    'an object whose tag throws': () => ({
        get [Symbol.toStringTag]() {
            return assert.fail('not my tag');
        },
    }),
    'an object with 10,000 properties': () =>
        Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`p${index}`, index])),
    'an array': () => ['no', 'paper'],
    'a thenable': () => ({
        // biome-ignore lint/suspicious/noThenProperty: this is what is nasty about it
        then: () => assert.fail('not to be awaited'),
    }),
    'a Symbol': () => Symbol('no paper'),
    'a bigint': () => 5n,
    'a function': () => () => {},
    'an object without a prototype': () => Object.create(null),
    nothing: () => undefined,
    null: () => null,
    NaN: () => NaN,
};

const TRAPS = 'get has getPrototypeOf ownKeys getOwnPropertyDescriptor isExtensible apply'.split(' ');

const errorWith = (properties: object): unknown => Object.assign(new Error('no paper'), properties);

const errorGetting = (property: string, get: () => unknown): unknown =>
    Object.defineProperty(new Error('no paper'), property, { get });

function trapped(target: object): unknown {
    const trap = () => assert.fail('not to be looked at');
    return new Proxy(target, Object.fromEntries(TRAPS.map((name) => [name, trap])));
}

function revoked(target: object): unknown {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    return proxy;
}

const bottomless = (): unknown => new Proxy(new Error('no paper'), { get: bottomless });

const endless = (): unknown => errorGetting('cause', endless);
