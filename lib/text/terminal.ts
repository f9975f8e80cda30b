/**
 * How many columns standard output has: those of the terminal, else what `COLUMNS` says. In a pipe without `COLUMNS` there
 * are Infinity, so that no line is broken for whatever reads it.
 */
export function outputWidth(): number {
    if (process.stdout.isTTY) return process.stdout.columns || 80;
    const wanted = Math.floor(Number(process.env['COLUMNS']));
    return wanted > 0 ? wanted : Number.POSITIVE_INFINITY;
}

/**
 * From now on, output that cannot be written is ignored: a reader (`list-commands | head -1`) or a terminal may be gone, or a
 * job may have ended the stream.
 */
export function surviveLostOutput(): void {
    for (const stream of [process.stdout, process.stderr])
        if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
}

function ignore(): void {}
