import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Reads which processes have begun (`+ 12`) and ended (`- 12`); when nobody writes any more, it kills the rest. */
const SCRIPT = `
trap '' INT TERM HUP
while read -r what pid; do
    left=
    for one in $pids; do [ "$one" = "$pid" ] || left="$left $one"; done
    [ "$what" = + ] && left="$left $pid"
    pids=$left
done
for one in $pids; do kill -s KILL -- "$one"; done 2>/dev/null
`;

let reaper: ChildProcess | undefined;

/**
 * Sees to it that a process ends with this one, however this one ends: a file of tests that runs out of time is killed,
 * and has no chance to clear up. A negative id is that of a process group. Whoever has seen it end calls what this returns.
 */
export function endWithUs(pid: number): () => void {
    if (!reaper) {
        reaper = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'] });
        reaper.unref();
        (reaper.stdin as Socket).unref();
    }
    const { stdin } = reaper;
    stdin?.write(`+ ${pid}\n`);
    return () => void stdin?.write(`- ${pid}\n`);
}
