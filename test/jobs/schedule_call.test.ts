import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fs from 'fs-extra';
import { BackgroundJob } from '../../lib/jobs/background_job.js';
import { importJobFile } from '../../lib/jobs/job_file.js';
import { type JobPlan, planJob } from '../../lib/jobs/job_plan.js';
import { noteScheduleCalls, scheduleCall } from '../../lib/jobs/schedule_call.js';

const JOB = `import { hourly } from './shared.js';
// this.schedule('0 1 * * *')
const NIGHTLY = '0 3 * * *';
export default {
    meta(){
        this.schedule('0  1 * * *').schedule(
            NIGHTLY);
        for (const hour of [4, 5]) this.schedule(\`0 \${hour} * * *\`);
        hourly(this);
        this.schedule('61 * * * *');
        this.schedule(5);
        return 0;
    },
    run(){}
};
`;
const SHARED = 'export const hourly = (job) => job.schedule("CRON_TZ=UTC @hourly");\n';

let folder: string;

before(async () => {
    folder = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'pinstripe-bot-calls-')));
    await fs.outputFile(join(folder, 'shared.js'), SHARED);
});

after(() => fs.remove(folder));

describe('a schedule() call', () => {
    test('has no line while nobody checks', async () => {
        const { schedules, problems } = await planOf('at_rest');
        assert.deepEqual(
            [...schedules.map(({ declaration }) => scheduleCall(declaration, '')), ...problems].map(
                ({ line }) => line,
            ),
            Array(7).fill(undefined),
        );
    });

    test('has the line of the job’s file that led to it, and its crontab as it was declared', async () => {
        noteScheduleCalls();
        const { schedules, problems, file } = await planOf('checked');
        assert.deepEqual(
            schedules.map(({ declaration }) => Object.values(scheduleCall(declaration, file))),
            [
                ['0 1 * * *', 6],
                ['0 3 * * *', 6],
                ['0 4 * * *', 8],
                ['0 5 * * *', 8],
                ['CRON_TZ=UTC @hourly', 9],
            ],
        );
        assert.deepEqual(
            problems.map(({ schedule, line }) => [schedule, line]),
            [
                ['61 * * * *', 10],
                [undefined, 11],
            ],
        );
    });
});

async function planOf(name: string): Promise<JobPlan> {
    const file = join(folder, `${name}.js`);
    await fs.outputFile(file, JOB);
    await importJobFile(BackgroundJob, { dirPath: folder, filePath: file });
    return planJob(name, undefined);
}
