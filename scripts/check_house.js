// Fails on import circles, types included, on imports that go up the order of the rooms, and on folders of too many files.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From the lowest to the highest: a room imports from itself and from those below. `lib` is for the files right in it. */
const ROOMS = [
    'types/framework.ts',
    'types/pinstripe.d.ts',
    'lib/framework.ts',
    'lib/copies.ts',
    'lib/text',
    'lib/time',
    'lib/schedule',
    'types',
    'lib/config',
    'lib/jobs',
    'lib/runs',
    'lib/alerts',
    'lib/engines',
    'lib/scheduler',
    'lib/health',
    'lib/process',
    'lib/check',
    'lib/views',
    'lib/dashboard',
    'commands',
    'lib',
    'lib/cli',
    'bin',
];

const MOST_FILES = 16;

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const files = ['lib', 'commands', 'bin', 'types'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `${folder}/${name}`),
);
const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

function importsOf(file) {
    return [...texts.get(file).matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']*)\.js'/g)]
        .map(([, path]) => relative(ROOT, join(ROOT, dirname(file), path)))
        .flatMap((path) => [`${path}.ts`, `${path}.d.ts`].filter((name) => existsSync(join(ROOT, name))));
}

function heightOf(file) {
    const rooms = ROOMS.filter((room) => `${file}/`.startsWith(`${room}/`));
    return ROOMS.indexOf(rooms.reduce((a, b) => (b.length > a.length ? b : a)));
}

/** The shortest way from a file back to itself, by the files on it. */
function circleOf(file) {
    const ways = [[file]];
    const seen = new Set();
    for (const way of ways)
        for (const next of imports.get(way.at(-1)) ?? []) {
            if (next === file) return way;
            if (!seen.has(next)) ways.push([...way, next]);
            seen.add(next);
        }
}

const circles = new Map();
for (const file of files) {
    const circle = circleOf(file);
    if (circle) circles.set([...circle].sort().join(), `circle: ${[...circle, file].join(' -> ')}`);
}
const upward = files.flatMap((file) =>
    imports.get(file).flatMap((other) => (heightOf(other) > heightOf(file) ? `up: ${file} -> ${other}` : [])),
);
const folders = [...new Set(files.map(dirname))].flatMap((folder) => {
    const number = files.filter((file) => dirname(file) === folder).length;
    return number > MOST_FILES ? `full: ${folder} has ${number} files, and ${MOST_FILES} at most` : [];
});
const lines = [...texts.values()].join('').split('\n').length - 1;
const faults = [...circles.values(), ...upward, ...folders];
console.log([...faults, `${lines} lines in ${files.length} files`].join('\n'));
if (faults.length > 0) process.exitCode = 1;
