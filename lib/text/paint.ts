import chalk, { Chalk, type ChalkInstance } from 'chalk';

/** Colours for standard output, if it is a terminal. chalk does not know NO_COLOR (https://no-color.org). */
export const paint: ChalkInstance = new Chalk({ level: process.env['NO_COLOR'] ? 0 : chalk.level });
