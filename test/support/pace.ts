import { readFileSync } from 'node:fs';
import { PACE } from './pack.js';

/** How long an idle machine takes to start a process of ours, in milliseconds. */
const USUAL_START = 500;

const start = (() => {
    try {
        return Number(readFileSync(PACE, 'utf8')) || USUAL_START;
    } catch {
        return USUAL_START;
    }
})();

/**
 * How long something may take before a test gives it up, in milliseconds: longer where this machine, whatever it is busy
 * with, takes long to start a process. That was measured when the package was packed.
 */
export const patience = (milliseconds: number): number => milliseconds * Math.max(1, start / USUAL_START);
