import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { flawsOfSchedule } from '../check/check.js';
import { loadConfig } from '../config/config.js';
import { Command, inflector } from '../framework.js';
import { FILE_IMPORTER, FILE_IMPORTER_LINE, JOBS_FOLDER, jobFileContent } from '../jobs/jobs_folder.js';
import { describeCrontab } from '../schedule/crontab_words.js';
import { BadScheduleError, createSchedule, type Schedule } from '../schedule/schedule.js';
import { BadOptionError } from '../text/bad_option_error.js';
import { typescriptRefusal } from '../text/import_fault.js';
import { paint } from '../text/paint.js';
import { outputColumns, paragraph } from '../text/paragraph.js';
import { printable } from '../text/printable.js';
import { formatUniqueMoment } from '../time/moment.js';
import { processTimezone } from '../time/process_timezone.js';
import { timezoneFault } from '../time/timezone.js';
import { nextSlots } from './overview.js';
import { lowerFirst } from './page.js';

const EVERY_MINUTE = '* * * * *';

/** A zone and six fields; a star without quotes makes more of them, the names of the files around. */
const MOST_WORDS = 7;

/** How many slots are named. */
const SLOTS = 2;

/** Writes the file of a new job, and what its folder needs, and says what was written and when the job will run. */
export async function generateJob(
    root: string,
    wantedName: string,
    options: { schedule?: string; timezone?: string; typescript?: boolean; force?: boolean },
): Promise<void> {
    const { schedule: crontab, timezone, typescript, force } = options;
    const path = filePathOf(wantedName);
    const name = inflector.dasherize(path);
    const language = typescript ? 'ts' : 'js';
    const file = join(root, JOBS_FOLDER, `${path}.${language}`);
    await refuseNamesake(file, name);
    const { notes, ...planned } = await planSchedule(name, crontab, timezone);
    const message = `${name} background job coming soon!`;
    const content = await jobFileContent(language, { ...planned, timezone, message });
    const before = existsSync(file) ? await readFile(file, 'utf8') : undefined;
    if (before !== undefined && before !== content && !force)
        throw new Error(
            `${relative(root, file)} exists and differs: nothing was written. Use --force to overwrite it.`,
        );
    const importer = join(root, JOBS_FOLDER, FILE_IMPORTER);
    if (!existsSync(importer)) await write(importer, `${FILE_IMPORTER_LINE}\n`, root);
    await write(file, content, root);

    const wrapped = (text: string) => paragraph(text, outputColumns());
    if (crontab ?? timezone) console.log(`\n${notes.map(wrapped).join('\n')}`);
    const refusal = typescript ? await refusalToImport(file, root) : undefined;
    if (refusal) console.log(`\n${wrapped(asWarning(printable(refusal)))}`);
    const binary = `npx ${Command.binaryName}`;
    console.log(`\nRun it now:      ${binary} run-background-job --name ${name}`);
    console.log(`Run it on time:  ${binary} start-server`);
}

/** Reads the schedule, before anything is written. */
async function planSchedule(job: string, given = EVERY_MINUTE, timezone?: string) {
    const fault = timezoneFault(timezone);
    if (fault) throw new BadOptionError(`--timezone ${JSON.stringify(timezone)} ${fault}`);
    const schedule = createScheduleOf(job, given, timezone ?? (await loadConfig()).timezone);
    const meaning = await describeCrontab(schedule.crontab);
    const words = meaning === schedule.crontab ? 'as the crontab says' : lowerFirst(meaning);
    const zone = schedule.timezone ?? processTimezone();
    const now = Math.floor(Date.now() / 1000);
    const slots = nextSlots(schedule, now, SLOTS).map((slot) => formatUniqueMoment(slot, zone));
    const flaws = flawsOfSchedule(schedule, zone, now);
    const notes = [
        `Runs ${words} (${zone}): next ${slots.join(', then ')}.`,
        ...flaws.map(({ message, cure }) => asWarning(`${message}. Cure: ${cure}.`)),
    ];
    return { crontab: given.trim().replace(/\s+/g, ' '), words, notes };
}

function createScheduleOf(job: string, given: string, timezone: string | undefined): Schedule {
    try {
        return createSchedule(job, [given], timezone);
    } catch (error) {
        if (!(error instanceof BadScheduleError)) throw error;
        const hasNoQuotes = given.trim().split(/\s+/).length > MOST_WORDS;
        const hint = hasNoQuotes ? `. In a shell it needs quotes: --schedule '30 6 * * 1-5'` : '';
        throw new BadOptionError(`--schedule ${error.message}${hint}`);
    }
}

function asWarning(text: string): string {
    return `${paint.yellow('warning')} ${text}`;
}

// Each segment becomes a plain snake_case word, so that neither '..' nor a drive nor a quote survives.
function filePathOf(name: string): string {
    const segments = name.split('/').map((segment) => inflector.snakeify(segment));
    if (segments.includes(''))
        throw new Error(
            `"${name}" cannot name a background job: use letters a to z and digits, and a "/" for a folder, like reports/daily-digest.`,
        );
    return segments.join('/');
}

async function refuseNamesake(file: string, name: string): Promise<void> {
    const folder = dirname(file);
    const wanted = inflector.dasherize(basename(file, extname(file)));
    const namesake = (await readdir(folder).catch(() => [])).find(
        (other) =>
            /^[^.]+\.[jt]s$/.test(other) &&
            other !== FILE_IMPORTER &&
            other !== basename(file) &&
            inflector.dasherize(other.slice(0, -3)) === wanted,
    );
    if (namesake) throw new Error(`${join(folder, namesake)} already makes the background job "${name}".`);
}

async function write(file: string, content: string, root: string): Promise<void> {
    const before = existsSync(file) ? await readFile(file, 'utf8') : undefined;
    await mkdir(dirname(file), { recursive: true });
    if (before !== content) await writeFile(file, content);
    const what = before === undefined ? 'created' : before === content ? 'unchanged' : 'overwritten';
    console.log(`${paint.green(what)} ${relative(root, file)}`);
}

// What is written now runs nowhere, unless this is said: whether a loader helps out only an attempt can tell.
async function refusalToImport(file: string, root: string): Promise<string | undefined> {
    try {
        await import(pathToFileURL(file).href);
        return undefined;
    } catch (error) {
        const refusal = typescriptRefusal(error);
        if (refusal === undefined) throw error;
        return `${refusal.reason.replace(`${root}/`, '')}: ${refusal.cure}.`;
    }
}
