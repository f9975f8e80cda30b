import { defineCommand, flag } from '../lib/process/command.js';

export default defineCommand({
    description: 'Checks all background jobs, and fails where one of them is wrong.',
    example: 'check-background-jobs --strict',
    params: { strict: flag('Let warnings fail, too.'), json: flag('Print JSON.') },

    async run() {
        const [{ checkApp }, { asJson, asText }, { printJson }, { outputColumns }] = await Promise.all([
            import('../lib/check/check.js'),
            import('../lib/check/report.js'),
            import('../lib/text/json_output.js'),
            import('../lib/text/paragraph.js'),
        ]);
        const { json, strict } = this.params;
        const { rootPath } = await this['project'];
        const report = await checkApp(rootPath, Math.floor(Date.now() / 1000));
        if (json) printJson(asJson(report));
        else console.log(asText(report, rootPath, outputColumns()));
        if (report.findings.some(({ severity }) => strict || severity === 'error')) process.exitCode = 1;
    },
});
