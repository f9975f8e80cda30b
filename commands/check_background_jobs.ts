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
            const [{ checkApp }, { asJson, asText }, { printJson }, { outputColumns }] = await Promise.all([
                import('../lib/check/check_app.js'),
                import('../lib/check/report.js'),
                import('../lib/text/json_output.js'),
                import('../lib/text/paragraph.js'),
            ]);
            const { rootPath } = await this['project'];
            const report = await checkApp(rootPath, Math.floor(Date.now() / 1000));
            if (this.params['json']) printJson(asJson(report));
            else console.log(asText(report, rootPath, outputColumns()));
            const failing = report.findings.filter(
                ({ severity }) => severity === 'error' || this.params['strict'] === true,
            );
            if (failing.length > 0) process.exitCode = 1;
        });
    },
};
