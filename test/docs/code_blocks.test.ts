import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import fs from 'fs-extra';
import Database from 'libsql';
import type { Run } from '../../lib/runs/run.js';
import type { Bot } from '../../lib/scheduler/bot.js';
import type { Services } from '../../types/framework.js';
import { type CodeBlock, codeBlocks } from '../support/code_block.js';
import { openAppWithDatabase } from '../support/fixture_app.js';
import { freePort } from '../support/free_port.js';
import { within } from '../support/pace.js';
import { PACKAGE } from '../support/pack.js';
import { endWithUs } from '../support/reaper.js';
import { skipWithoutRedis, startRedis } from '../support/redis_server.js';

const blocks = await codeBlocks();
const JOB = /^lib\/background_jobs\/(.+)\.js$/;
const CONFIG = 'pinstripe.config.js';

// An app as `init` leaves it, with the files that the blocks are, and one job that fails.
const { app } = await openAppWithDatabase('', {
    'lib/index.js': "import { importAll } from 'pinstripe';\n\nimportAll(import.meta.url);\n",
    'lib/background_jobs/fail.js': "export default { run(){ throw new Error('no paper'); } };\n",
    [CONFIG]: `export default {
        database: { filename: 'fixture.db', schema: 'create table users (id integer, inactive integer);' },
        bot: { log: 'silent', journal: { filename: 'bot.db' } }
    };`,
    'lib/views/_file_importer.js': "export { View as default } from 'pinstripe';\n",
    'node_modules/@sentry/node/package.json': '{ "type": "module", "exports": "./index.js" }',
    'node_modules/@sentry/node/index.js': `
        export const captureException = (...words) => void globalThis.sentry.push(words);
        export const captureCheckIn = (...words) => void globalThis.sentry.push(words) ?? 'an id';
    `,
    ...Object.fromEntries(
        blocks.flatMap(({ file, code }) =>
            file === undefined || file === CONFIG ? [] : [[file, code] as const],
        ),
    ),
});
await app.link('prom-client', join(PACKAGE, 'node_modules/prom-client'));
const sentry: Record<string, unknown>[][] = [];
Object.assign(globalThis, { sentry });
const { runCli } = await import('../../lib/cli/main.js');
await runCli(['init'], app.root);

// Before anybody has loaded the app: each file is what a user would run, and its tests become tests of ours.
for (const { file } of blocks) if (file?.startsWith('test/')) await import(join(app.root, file));

const { Command, ServiceFactory, Workspace } = await import('../../lib/framework.js');
const { simulate } = await import('../../lib/testing.js');
const { parseConfig } = await import('../../lib/config/config.js');
const theBot = await Workspace.run(async function () {
    return this['bot'] as Bot;
});

const AsyncFunction = (async () => {}).constructor as new (code: string) => (this: Services) => Promise<void>;

/** Runs the code of a block that stands for itself: as a module where it imports anything, else in a workspace. */
async function execute({ code, file: itsFile }: CodeBlock): Promise<void> {
    if (itsFile !== undefined) return import(join(app.root, itsFile));
    if (!/^import /m.test(code)) return Workspace.run(new AsyncFunction(code));
    const file = join(app.root, `block_${blocks.findIndex((block) => block.code === code)}.js`);
    await fs.writeFile(file, code);
    await import(file);
}

async function answerOf(url: string): Promise<Response> {
    return fetch(url).catch(async () => {
        await delay(100);
        return answerOf(url);
    });
}

ServiceFactory.register('send-digest', { create: () => () => {} });

const runJob = (name: string, ...args: unknown[]): Promise<Run[]> => theBot.runBackgroundJob(name, args);

/** The blocks of JavaScript that are no file of an app: what they contain, and what has to come of them. */
const SNIPPETS: Record<string, (run: () => Promise<void>) => Promise<void>> = {
    'createBullBoard({': async () => {
        if (skipWithoutRedis) return;
        for (const name of ['@bull-board', 'express', 'bullmq'])
            await fs.ensureSymlink(join(PACKAGE, 'node_modules', name), join(app.root, 'node_modules', name));
        const file = join(app.root, 'board.js');
        await fs.writeFile(file, blocks.find(({ code }) => code.includes('createBullBoard({'))?.code ?? '');
        const redis = await startRedis();
        const port = await freePort();
        const env = { ...process.env, REDIS_URL: redis.url, BOARD_PORT: String(port) };
        const board = spawn(process.execPath, [file], { cwd: app.root, env, stdio: 'inherit' });
        const ended = endWithUs(board.pid as number);
        try {
            const response = await within(answerOf(`http://127.0.0.1:${port}/api/queues`), 'the board');
            const { queues } = (await response.json()) as {
                queues: { name: string; readOnlyMode: boolean }[];
            };
            assert.deepEqual(
                queues.map(({ name, readOnlyMode }) => [name, readOnlyMode]),
                [['runs', true]],
            );
        } finally {
            board.kill();
            ended();
            await redis.stop();
        }
    },
    "BackgroundJob.addHook('jobFailing'": async (run) => {
        const sent = new Promise((send) => {
            ServiceFactory.register('send-mail', { create: () => async (mail: unknown) => send(mail) });
        });
        await run();
        for (let failures = 0; failures < 3; failures++) await assert.rejects(runJob('fail'));
        const { subject } = (await within(sent, 'the mail')) as { subject: string };
        assert.equal(subject, 'fail failed 3 times');
    },
    "BackgroundJob.addHook('runFailed'": async (run) => {
        const mails: { subject: string; text: string }[] = [];
        ServiceFactory.register('send-mail', {
            create: () => async (mail: (typeof mails)[0]) => void mails.push(mail),
        });
        await run();
        await assert.rejects(runJob('fail'), { message: 'no paper' });
        assert.equal(mails[0]?.subject, 'fail failed');
        assert.match(mails[0]?.text ?? '', /^Error: no paper\n/);
    },
    'metrics.count(': async (run) => {
        const counted: string[] = [];
        Reflect.set(globalThis, 'metrics', { count: (name: string) => counted.push(name) });
        await run();
        await runJob('nightly-digest', 'nobody');
        assert.deepEqual(counted, ['jobs.nightly-digest.succeeded']);
    },
    "await this.runBackgroundJob('nightly-digest', 'one shop');": async (run) => {
        const runs: unknown[] = [];
        const { subscribe } = await import('node:diagnostics_channel');
        subscribe('pinstripe-bot:run-ended', (event) => {
            const { job, args, outcome } = (event as { run: Run }).run;
            runs.push([job, args, outcome]);
        });
        await run();
        assert.deepEqual(runs[0], ['nightly-digest', ['one shop'], 'succeeded']);
    },
    "import 'pinstripe-bot/opentelemetry'": async (run) => {
        const exporter = new InMemorySpanExporter();
        new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
        await run();
        await runJob('nightly-digest', 'nobody');
        assert.deepEqual(
            exporter.getFinishedSpans().map(({ name }) => name),
            ['run nightly-digest'],
        );
    },
    "tracingChannel('pinstripe-bot:run').subscribe({": async () => {
        await assert.rejects(runJob('fail'));
        const [error, { tags, extra }] = sentry.at(-1) as [Error, { tags: object; extra: object }];
        assert.equal(error.message, 'no paper');
        assert.deepEqual([tags, 'run' in extra], [{ job: 'fail', tenant: undefined }, true]);
    },
    'Sentry.captureCheckIn({': async () => {
        sentry.length = 0;
        await simulate('2026-01-01T01:59:59Z', '2026-01-01T02:00:01Z', { config: { timezone: 'UTC' } });
        const checkIns = sentry.filter(([checkIn]) => checkIn?.['monitorSlug'] === 'nightly-digest');
        const monitorSlug = 'nightly-digest';
        const schedule = { type: 'crontab', value: '0 2 * * *' };
        assert.deepEqual(checkIns, [
            [
                { monitorSlug, status: 'in_progress' },
                { schedule, timezone: 'Europe/London', checkinMargin: 5, maxRuntime: 60 },
            ],
            [{ monitorSlug, status: 'ok', checkInId: 'an id' }],
        ]);
    },
    'new Counter({': () => runJob('nightly-digest', 'nobody').then(() => {}),
    'await register.metrics()': async () => {
        const params = { _url: new URL('http://localhost/metrics'), _headers: {} };
        const [status, , [page = '']] = await Workspace.run(async function (this: Services) {
            return this['callHandler'].handleCall(params) as [number, object, string[]];
        });
        assert.equal(status, 200);
        assert.match(page, /^job_runs_total\{job="nightly-digest",outcome="succeeded"\} [1-9]/m);
        assert.match(
            page,
            /^job_run_duration_seconds_count\{job="nightly-digest",outcome="succeeded"\} [1-9]/m,
        );
    },
    "await this.bot.enqueue('send-welcome'": async (run) => {
        await run();
        const history = await theBot.history();
        const waiting = await history.waitingRuns(10).finally(() => history.close());
        assert.deepEqual(
            waiting.map(({ job, args, key }) => [job, args, key]),
            [['send-welcome', ['user-7'], 'welcome user-7']],
        );
    },
    'const ended = this.bot.start();': async (run) => {
        const { subscribe } = await import('node:diagnostics_channel');
        subscribe('pinstripe-bot:bot-started', () => void theBot.stop());
        await run();
    },
    'this.sendDigest(this.params.scope)': (run) => run(),
};

const placeOf = ({ page, line }: CodeBlock) => `${page}:${line}`;

describe('JavaScript in the docs', () => {
    for (const block of blocks.filter(({ language }) => language === 'js')) {
        const { code, file = '' } = block;
        const snippets = Object.keys(SNIPPETS).filter((part) => code.includes(part));
        const [snippet] = snippets;
        const [, job] = JOB.exec(file) ?? [];
        if (file.startsWith('test/')) continue;
        test(`does what it is there for: ${placeOf(block)}`, async () => {
            if (file === CONFIG) {
                const path = join(app.root, `config_${block.line}.js`);
                await fs.writeFile(path, code);
                process.env['REDIS_URL'] = 'redis://127.0.0.1:6379';
                parseConfig((await import(path)).default.bot);
            } else if (job !== undefined) {
                const { plans, problems } = await theBot.survey();
                const plan = plans.find(({ name }) => name === job.replaceAll('_', '-'));
                assert.ok(plan);
                assert.deepEqual(problems, []);
                const calls = plan.schedules.map(({ args }) => args);
                for (const args of calls.length > 0 ? calls : [[]]) await runJob(plan.name, ...args);
            } else {
                assert.equal(snippets.length, 1, 'nobody knows what has to come of it');
                await SNIPPETS[snippet as string]?.(() => execute(block));
            }
        });
    }

    after(() => theBot.stop());
});

describe('SQL in the docs', () => {
    for (const block of blocks.filter(({ language }) => language === 'sql')) {
        test(`reads the journal: ${placeOf(block)}`, async () => {
            await assert.rejects(runJob('fail'));
            const database = new Database(join(app.root, 'bot.db'), { readonly: true });
            const statements = block.code.split(/;\n/).filter((text) => text.trim() !== '');
            const [runs] = statements.map((statement) => database.prepare(statement).all());
            database.close();
            assert.equal(statements.length, 2);
            const { job, outcome, error } = (runs as Record<string, unknown>[])[0] ?? {};
            assert.deepEqual([job, outcome, error], ['fail', 'failed', 'Error: no paper']);
        });
    }
});

/** What each line of a file in another language looks like. */
const FORMS: Record<string, RegExp> = {
    ini: /^(#.*|\[\w+\]|\w+=.+|)$/,
    dockerfile: /^(FROM|WORKDIR|ENV|COPY|RUN|USER|VOLUME|CMD) .+$/,
};

describe('files in the docs that are no JavaScript', () => {
    for (const block of blocks.filter(({ language }) => language === 'ts' || language in FORMS)) {
        test(`can be read: ${placeOf(block)}`, async () => {
            const form = FORMS[block.language];
            if (form) for (const line of block.code.trimEnd().split('\n')) assert.match(line, form);
            if (form) return;
            const file = join(app.root, `block_${block.line}.ts`);
            await fs.writeFile(file, block.code);
            const tsc = join(PACKAGE, 'node_modules/.bin/tsc');
            const options = ['--ignoreConfig', '--noEmit', '--noCheck', '--noResolve'];
            execFileSync(tsc, [...options, file], { stdio: 'pipe' });
        });
    }
});

/** What a command line of the docs may begin with, and whether it speaks of what there is. */
const PROGRAMS: Record<string, (words: string[]) => void | Promise<void>> = {
    async npm([command = '', ...words]) {
        const { scripts, peerDependencies } = await fs.readJson(join(PACKAGE, 'package.json'));
        const names = words.filter((word) => !word.startsWith('./'));
        if (command === 'pack') return;
        if (command === 'install') for (const name of names) assert.ok(name in peerDependencies, name);
        else assert.ok((command === 'run' ? (words[0] ?? '') : command) in scripts, command);
    },
    async node(words) {
        const files = words.filter((word) => word.startsWith('dist/'));
        for (const file of files) assert.ok(await fs.pathExists(join(PACKAGE, file)), file);
    },
    'pinstripe-bot'([name = '', ...words]) {
        assert.ok(Command.names.includes(name), name);
        const params: Record<string, unknown> = Command.for(name).extractParams(words);
        for (const param of Object.keys(params)) assert.ok(param in Command.for(name).params, param);
    },
    npx: ([program = '', ...words]) => PROGRAMS[program]?.(words) ?? assert.ok(program in PROGRAMS, program),
    pinstripe: (words) => PROGRAMS['pinstripe-bot']?.(words),
    'redis-cli'() {},
};

describe('shell commands in the docs', () => {
    for (const block of blocks.filter(({ language }) => ['sh', 'bash'].includes(language))) {
        test(`are sound, and speak of what there is: ${placeOf(block)}`, async () => {
            execFileSync('sh', ['-n'], { input: block.code, stdio: 'pipe' });
            for (const line of block.code.split(/\n|&& /)) {
                const words = line.replace(/ +#.*| \|.*/, '').split(' ');
                const [program = '', ...rest] = words.filter((word) => word && !/^\w+=/.test(word));
                if (program === '') continue;
                const check = PROGRAMS[program];
                assert.ok(check, `nobody knows ${program}`);
                await check(rest);
            }
        });
    }
});

test('no block of code is left that nobody checks', async () => {
    const languages = ['js', 'sql', 'sh', 'bash', 'ts', ...Object.keys(FORMS), ''];
    const commands = await fs.readdir(join(PACKAGE, 'commands'));
    const sessions = commands.map((file) => `docs/commands/${file.replace(/\.ts$/, '.md')}`);
    const tested = ['README.md', 'docs/recipes.md', ...sessions.map((page) => page.replaceAll('_', '-'))];
    const left = blocks.filter(
        ({ language, page }) =>
            !languages.includes(language) && !(language === 'console' && tested.includes(page)),
    );
    assert.deepEqual(left.map(placeOf), []);
});
