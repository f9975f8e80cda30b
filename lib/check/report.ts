import { relative } from 'node:path';
import { count } from '../text/format.js';
import { paint } from '../text/paint.js';
import { paragraph } from '../text/paragraph.js';
import { printable } from '../text/printable.js';
import type { Finding } from './finding.js';

const INDENT = '         ';

export interface Report {
    readonly findings: readonly Finding[];
    readonly jobs: number;
    readonly schedules: number;
}

/** Writes a report for people, with paths relative to the app's folder: a block for each finding, and a line of counts. */
export function asText({ findings, jobs, schedules }: Report, rootPath: string, columns: number): string {
    const wrap = (text: string) => paragraph(printable(text).replaceAll(`${rootPath}/`, ''), columns, INDENT);
    const blocks = findings.map(({ severity, job, file, line, message, cure }) => {
        const label = severity === 'error' ? paint.red('error    ') : paint.yellow('warning  ');
        const place = file && `${printable(relative(rootPath, file))}${line === undefined ? '' : `:${line}`}`;
        const subject = [job && paint.bold(printable(job)), place].filter(Boolean).join('  ');
        return `${label}${subject || 'all jobs'}\n${wrap(message)}\n${wrap(`Cure: ${cure}`)}\n`;
    });
    return [
        ...blocks,
        `${count(jobs, 'background job')}, ${count(schedules, 'schedule')}: ${verdict(findings)}.`,
    ].join('\n');
}

/** Makes a report for programs, as docs/commands/check-background-jobs.md describes it. */
export function asJson({ findings }: Report): object {
    return {
        findings: findings.map(({ severity, rule, job, file, line, schedule, message, cure }) => ({
            severity,
            rule,
            job: job ?? null,
            file: file ?? null,
            line: line ?? null,
            schedule: schedule ?? null,
            message,
            cure,
        })),
    };
}

function verdict(findings: readonly Finding[]): string {
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const warnings = findings.length - errors;
    if (findings.length === 0) return 'nothing wrong';
    return [errors > 0 && count(errors, 'error'), warnings > 0 && count(warnings, 'warning')]
        .filter(Boolean)
        .join(', ');
}
