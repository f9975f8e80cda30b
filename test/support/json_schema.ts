import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fs from 'fs-extra';
import { PACKAGE } from './pack.js';

const schema = await fs.readJson(join(PACKAGE, 'schemas/output.schema.json'));
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
formats.default(ajv);
ajv.addSchema(closed(schema) as object);

/** Checks JSON that a command, a page or the log has printed against the package's schema; it has no field besides. */
export function assertShape(name: string, json: unknown): void {
    const validate = ajv.getSchema(`${schema.$id}#/$defs/${name}`);
    assert.ok(validate, `the schema has no ${name}`);
    assert.ok(
        validate(json),
        `${name}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(json, null, 2)}`,
    );
}

/** The schema lets a release add fields; here it knows them all. */
function closed(part: unknown): unknown {
    if (Array.isArray(part)) return part.map(closed);
    if (typeof part !== 'object' || part === null) return part;
    const entries = Object.entries(part).map(([key, value]) => [key, closed(value)] as const);
    const isOpen = 'required' in part && !('additionalProperties' in part);
    return Object.fromEntries(isOpen ? [...entries, ['additionalProperties', false]] : entries);
}
