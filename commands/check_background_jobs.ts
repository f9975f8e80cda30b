import { join } from 'node:path';
import { failOnBadParams, runCommand } from '../lib/process/command.js';
import type { CommandInstance, CommandRegistry } from '../types/framework.js';

/** `check-background-jobs`: what is wrong with the jobs of an app, and what probably is; for CI. */
export default {
    meta(this: CommandRegistry) {
        this.assignProps({
            description: 'Checks all background jobs, and fails where one of them is wrong.',
            example: 'check-background-jobs --strict',
        });
        this.hasParam('strict', { type: 'boolean', optional: true, description: 'Let warnings fail, too.' });
        this.hasParam('json', { type: 'boolean', optional: true, description: 'Print JSON.' });
        failOnBadParams(this);
    },

    run(this: CommandInstance) {
        return runCommand(async () => {
            const [{ surveyApp }, { check }, { asJson, asText }, { printJson }, { outputColumns }] =
                await Promise.all([
                    import('../lib/check/app_survey.js'),
                    import('../lib/check/check.js'),
                    import('../lib/check/report.js'),
                    import('../lib/text/json_output.js'),
                    import('../lib/text/paragraph.js'),
                ]);
            const { rootPath } = await this['project'];
            const now = Math.floor(Date.now() / 1000);
            const { survey, configFindings } = await surveyApp(
                rootPath,
                join(rootPath, 'pinstripe.config.js'),
                now,
            );
            const report = {
                findings: [...configFindings, ...check(survey)],
                jobs: survey.plans.length,
                schedules: survey.plans.reduce((sum, { schedules }) => sum + schedules.length, 0),
            };
            if (this.params['json']) printJson(asJson(report));
            else console.log(asText(report, rootPath, outputColumns()));
            const failing = report.findings.filter(
                ({ severity }) => severity === 'error' || this.params['strict'] === true,
            );
            if (failing.length > 0) process.exitCode = 1;
        });
    },
};
