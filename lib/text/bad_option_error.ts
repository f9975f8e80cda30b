/** What is wrong with the value of a command's option, in one line that names the option. */
export class BadOptionError extends TypeError {
    override readonly name = 'BadOptionError';
}
