#!/usr/bin/env node
// Chalk knows FORCE_COLOR only, and the framework's own copy of it too: both read it when they are imported.
if (process.env['NO_COLOR']) process.env['FORCE_COLOR'] = '0';

// A reader that goes away (`pinstripe-bot list-commands | head -1`) is no reason to crash.
for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
    });
}

const { runCli } = await import('../lib/cli/main.js');

// Not awaited: a command that never ends is told of by runCli, and not by Node's own warning.
void runCli(process.argv.slice(2), process.cwd());

export {};
