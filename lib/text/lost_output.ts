/**
 * From now on, an output that nobody can take is no reason to crash: a reader (`list-commands | head -1`) or a terminal
 * that has gone away, or a stream that a job has ended.
 */
export function surviveLostOutput(): void {
    for (const stream of [process.stdout, process.stderr])
        if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
}

function ignore(): void {}
