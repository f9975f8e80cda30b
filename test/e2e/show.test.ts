import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backgroundJobs, makeApp } from '../support/installed_app.js';

const JOBS = backgroundJobs({
    fetch_prices: `export default {
        description: 'Preise und Währungen, 価格',
        timeout: '30s',
        meta(){
            this.schedule('*/20 9-17 * * MON-FRI', 'all', { currencies: ['EUR', 'JPY'] });
            this.schedule('CRON_TZ=America/New_York 30 16 * * MON-FRI');
        },
        run(){ throw new TypeError('the supplier does not answer: it has sent something else than a list of prices'); }
    };`,
    broken: 'export default { run(){ ',
});

describe('show-background-job', () => {
    test('tells why the last run failed, and where', async () => {
        const app = await makeApp(JOBS);
        await app.call(['run-background-job', 'fetch-prices']);
        const { code, stdout, stderr } = await app.call(['show-background-job', 'FetchPrices']);
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, /^ {2}timeout +30 s +the job's definition$/m);
        assert.match(stdout, /^ {2}\S+ \S+ {2}failed .*by hand$/m);
        assert.match(stdout, / at lib\/background_jobs\/fetch_prices\.js:8:22$/m);
    });

    test('refuses nonsense', async () => {
        const app = await makeApp(JOBS);
        assert.equal((await app.call(['show-background-job'])).code, 2);
        assert.equal((await app.call(['show-background-job', 'x', '--runs', '-1'])).code, 2);
    });

    test('tells of a config that cannot be imported, with its line', async () => {
        const app = await makeApp({ ...JOBS, 'pinstripe.config.js': '\nexport default {' });
        for (const command of ['show-background-job fetch-prices', 'list-background-jobs']) {
            const { code, stderr } = await app.call(command.split(' '));
            assert.deepEqual(
                [code, stderr],
                [
                    1,
                    'pinstripe.config.js cannot be imported: SyntaxError in line 2: Unexpected end of input\n',
                ],
            );
        }
    });
});

describe('preview-background-jobs', () => {
    const PREVIEW = 'preview-background-jobs';

    test('shows a day of another zone, and what is not in it', async () => {
        const app = await makeApp(JOBS);
        const year2030 = ['--from', '2030-01-02', '--to', '2030-01-03', '--timezone', 'Asia/Tokyo'];
        const { code, stdout, stderr } = await app.call([PREVIEW, ...year2030]);
        assert.deepEqual([code, stderr], [0, '']);
        assert.deepEqual(stdout.replace(/ {2,}/g, '  ').split('\n'), [
            '',
            'Wednesday 2030-01-02',
            '  00:00 - 23:40  fetch-prices  27 times  Every 20 minutes, between 09:00 and 17:59, Monday through Friday ["all",{"currencies":["EUR","JPY"]}]',
            '  06:30  fetch-prices',
            '',
            '28 slots of 1 background job from 2030-01-02 00:00:00 to 2030-01-03 00:00:00 (Asia/Tokyo).',
            'Not in it: broken (invalid).',
            '',
            '',
        ]);
    });

    test('refuses nonsense', async () => {
        const app = await makeApp(JOBS);
        for (const [words, complaint, expected] of [
            [['--from', 'soon'], /^--from "soon" is not a time: /, 2],
            [['--to', '-1h'], /^Nothing lies between/, 1],
            [['--name', 'fetch'], /^There is no background job "fetch"/, 1],
            [['--from', '1767225600000'], /milliseconds/, 2],
        ] as const) {
            const { code, stdout, stderr } = await app.call([PREVIEW, ...words]);
            assert.deepEqual([code, stdout], [expected, ''], stderr);
            assert.match(stderr, complaint);
        }
    });
});
