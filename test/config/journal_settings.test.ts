import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from '../../lib/config/config.js';
import { DEFAULT_JOURNAL } from '../../lib/config/journal_settings.js';

describe('the key bot.journal', () => {
    test('is false for memory, or an object whose keys have defaults', () => {
        assert.deepEqual(parseConfig({}).journal, DEFAULT_JOURNAL);
        assert.deepEqual(parseConfig({ journal: false }).journal, { ...DEFAULT_JOURNAL, filename: false });
        assert.deepEqual(parseConfig({ journal: {} }).journal, DEFAULT_JOURNAL);
        assert.deepEqual(
            parseConfig({ journal: { filename: 'a.db', retention: '2d', maxRunsPerJob: 5, required: true } })
                .journal,
            { filename: 'a.db', retention: 172_800_000, maxRunsPerJob: 5, required: true },
        );
    });

    const refused: [unknown, RegExp][] = [
        [true, /`bot\.journal`, true, is neither false, for memory, nor an object/],
        ['bot.db', /neither false, for memory, nor an object/],
        [{ file: 'a' }, /unknown key `file`.*Known: filename, retention, maxRunsPerJob, required/],
        [{ filname: 'a' }, /unknown key `filname` \(did you mean "filename"\?\)/],
        [{ filename: '' }, /`filename` that is no path/],
        [{ retention: 30 }, /`retention` that is not a duration/],
        [{ maxRunsPerJob: 0 }, /`maxRunsPerJob` that is not a whole number from 1 up/],
        [{ required: 'yes' }, /`required` that is neither true nor false/],
    ];
    for (const [journal, message] of refused)
        test(`refuses ${JSON.stringify(journal)}`, () => {
            assert.throws(() => parseConfig({ journal }), message);
        });
});
