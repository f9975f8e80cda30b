import { Bot } from '../scheduler/bot.js';

/** The one bot of this process: `this.bot` in every workspace, request and job. It is kept on no context. */
export const theBot = new Bot();
