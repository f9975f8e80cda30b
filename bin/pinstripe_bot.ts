#!/usr/bin/env node
import { surviveLostOutput } from '../lib/text/terminal.js';

// Chalk knows FORCE_COLOR only, and the framework's own copy of it too: both read it when they are imported.
if (process.env['NO_COLOR']) process.env['FORCE_COLOR'] = '0';

surviveLostOutput();
const { runCli } = await import('../lib/cli/main.js');

// Not awaited: a command that never ends is told of by runCli, and not by Node's own warning.
void runCli(process.argv.slice(2), process.cwd());
