/** What is wrong with an option, in one line that names it. */
export class BadOptionError extends TypeError {
    override readonly name = 'BadOptionError';
}
