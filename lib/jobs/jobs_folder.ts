import { join } from 'node:path';

/** Where the job files of an app are, below its folder. */
export const JOBS_FOLDER = join('lib', 'background_jobs');

/** The file that tells the framework what the files beside it are. */
export const FILE_IMPORTER = '_file_importer.js';

/** What stands in it. */
export const FILE_IMPORTER_LINE = "export { BackgroundJob as default } from 'pinstripe-bot';";
