import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
    lineOfDefaultExport,
    lineOfMissingImport,
    lineOfProperty,
    lineOfSchedule,
} from '../../lib/check/source_line.js';

const SOURCE = `// this.schedule('0 1 * * *')
const NIGHTLY = '0 3 * * *';
/* export default */
export default {
    description: '0 2 * * *',
    meta(){
        this.schedule('0  1 * * *');
        this.schedule("0 2 * * *").schedule(
            \`0 2 * * *\`, 'again');
        this.schedule(NIGHTLY);
        this.schedule('CRON_TZ=Europe/London 0 2 * * *');
        for (const hour of [4, 5]) this.schedule(\`0 \${hour} * * *\`);
        this.timeout = '5x';
    },
    // retries: 3
    retries: -1,
    get overlap(){ return retries == 1; },
    run(){}
};
`;

const CRONTABS = [
    '0 1 * * *',
    '0 2 * * *',
    '0 2 * * *',
    '0 3 * * *',
    'CRON_TZ=Europe/London 0 2 * * *',
    '0 4 * * *',
    '0 5 * * *',
];

describe('the line of a schedule', () => {
    const lines = [7, 8, 9, 2, 11, undefined, undefined];
    for (const [index, line] of lines.entries()) {
        test(`${CRONTABS[index]}, the call ${index}: ${line}`, () =>
            assert.equal(lineOfSchedule(SOURCE, CRONTABS, index), line));
    }

    test('is that of its call, where its crontab is no text, or a made one', () => {
        const source = 'export default { meta(){\n this.schedule(5);\n this.schedule(everyDay());\n}};';
        assert.equal(lineOfSchedule(source, [5, '@daily'], 0), 2);
        assert.equal(lineOfSchedule(source, [5, '@daily'], 1), 3);
        assert.equal(lineOfSchedule(source, [5, '@daily', 7], 2), undefined);
    });

    test('is found among comments, strings and other schedules', () => {
        const noise = fc.constantFrom(
            '// this.schedule("1 1 1 1 1")',
            "/* it's */",
            'const a = /[\'"]/;',
            '',
            "log('1 1 1 1 1 ');",
            'const text = `a\n\nb`;',
        );
        const crontab = fc.integer({ min: 0, max: 3 }).map((minute) => `${minute} * * * *`);
        fc.assert(
            fc.property(
                fc.array(
                    fc.tuple(fc.array(noise, { maxLength: 3 }), crontab, fc.constantFrom("'", '"', '`')),
                ),
                (parts) => {
                    let source = 'export default { meta(){\n';
                    const lines = parts.map(([before, text, quote]) => {
                        source += `${before.map((line) => `${line}\n`).join('')}`;
                        const line = source.split('\n').length;
                        source += `this.schedule(${quote}${text}${quote});\n`;
                        return line;
                    });
                    const crontabs = parts.map(([, text]) => text);
                    assert.deepEqual(
                        crontabs.map((_, index) => lineOfSchedule(source, crontabs, index)),
                        lines,
                        source,
                    );
                },
            ),
        );
    });
});

describe('the line of', () => {
    test('a property is where it is set, not where it is read or spoken of', () => {
        assert.equal(lineOfProperty(SOURCE, 'retries'), 16);
        assert.equal(lineOfProperty(SOURCE, 'timeout'), 13);
        assert.equal(lineOfProperty(SOURCE, 'overlap'), 17);
        assert.equal(lineOfProperty(SOURCE, 'missed'), undefined);
        assert.equal(lineOfProperty(SOURCE, 'a.b('), undefined);
    });

    test('the default export', () => {
        assert.equal(lineOfDefaultExport(SOURCE), 4);
        assert.equal(lineOfDefaultExport('export const a = 1;'), undefined);
    });

    test('an import that leads nowhere', () => {
        const source = "import a from 'a';\nimport b from\n  './b.js';\nimport 'c';\n";
        const of = (name: string, importer = '/app/lib/x.js') =>
            lineOfMissingImport(
                source,
                '/app/lib/x.js',
                `Error: Cannot find ${name} imported from ${importer}`,
            );
        assert.equal(of("module '/app/lib/b.js'"), 3);
        assert.equal(of("package 'c'"), 4);
        assert.equal(of("package 'c'", '/app/lib/y.js'), undefined);
        assert.equal(lineOfMissingImport(source, '/app/lib/x.js', 'RangeError: no key'), undefined);
    });
});
