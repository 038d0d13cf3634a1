/** The API tables against the model inside the installed AWS SDK: an SDK that adds or changes something fails here. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { apiOperations } from '../../../src/api/model.ts';
import { operations } from '../../../src/operations/registry.ts';
import type { Members, Shape } from '../../../src/api/shape.ts';

// The schemas of the SDK: [kind, namespace, name, traits, member names, member schemas, number of required members].
type StructureSchema = readonly [3, string, string, unknown, readonly string[], readonly unknown[], number?];
type OperationSchema = readonly [9, string, string, unknown, () => StructureSchema, () => StructureSchema];

const STRUCTURE = 3;
const LIST = 1;
const OPERATION = 9;
const ERROR = -3;
const SENSITIVE = 8;
/** SDK type codes of simple shapes, and which kinds of ours they stand for. */
const KINDS = new Map<unknown, readonly Shape['kind'][]>([
  [0, ['string', 'enum']],
  [1, ['integer']],
  [2, ['boolean']],
  [4, ['timestamp']],
  [21, ['blob']],
  [64, ['list']],
  [128, ['map']],
]);

const sdkOperations = Object.values(sdk as unknown as Record<string, unknown>).filter(
  (value): value is OperationSchema => Array.isArray(value) && value[0] === OPERATION,
);
const sdkDirectory = dirname(createRequire(import.meta.url).resolve('@aws-sdk/client-kms/package.json'));

/** Follows references: `() => schema`, `[() => schema, traits]`. Traits say whether a value is sensitive. */
function resolved(reference: unknown): { readonly schema: unknown; readonly sensitive: boolean } {
  if (typeof reference === 'function') return resolved((reference as () => unknown)());
  if (Array.isArray(reference) && (typeof reference[0] === 'function' || reference.length === 2)) return resolved(reference[0]);
  if (Array.isArray(reference) && reference[0] === 0) return { schema: reference[4], sensitive: reference[3] === SENSITIVE };
  return { schema: reference, sensitive: false };
}

function compareMembers(
  path: string,
  [, , , , names, schemas, requiredCount = 0]: StructureSchema,
  members: Members,
  isInput: boolean,
): void {
  expect(Object.keys(members).toSorted(), path).toEqual(names.toSorted());
  for (const [index, name] of names.entries()) {
    const shape = members[name] as Shape;
    // The SDK lists required members first. For outputs the tables do not care.
    if (isInput) expect(shape.required === true, `${path}.${name} required`).toBe(index < requiredCount);
    compareShape(`${path}.${name}`, schemas[index], shape, isInput);
  }
}

function compareShape(path: string, reference: unknown, shape: Shape, isInput: boolean): void {
  const { schema, sensitive } = resolved(reference);
  const kinds = KINDS.get(schema);
  if (kinds !== undefined) {
    expect(kinds, path).toContain(shape.kind);
    if (shape.kind === 'string' || shape.kind === 'blob') expect(shape.sensitive === true, `${path} sensitive`).toBe(sensitive);
    return;
  }
  const [kind] = schema as readonly unknown[];
  if (kind === LIST) {
    if (shape.kind !== 'list') throw new Error(`${path} is a list in the SDK`);
    compareShape(`${path}[]`, (schema as readonly unknown[])[4], shape.member, isInput);
    return;
  }
  expect(kind, path).toBe(STRUCTURE);
  if (shape.kind !== 'structure') throw new Error(`${path} is a structure in the SDK`);
  compareMembers(path, schema as StructureSchema, shape.members, isInput);
}

/** Names in the `@throws` lines of a command's documentation: the SDK has its error lists nowhere else. */
function documentedErrors(operation: string): readonly string[] {
  const text = readFileSync(join(sdkDirectory, `dist-types/commands/${operation}Command.d.ts`), 'utf8');
  return [...text.matchAll(/@throws \{@link (\w+)\}/g)].map(([, name]) => name as string).filter((name) => name !== 'KMSServiceException');
}

/** The value sets of the SDK that a member may take: those of the same size with the same values. */
const sdkEnums = Object.values(sdk as unknown as Record<string, unknown>)
  .filter((value): value is Record<string, string> => typeof value === 'object' && value !== null && !Array.isArray(value))
  .map((value) => Object.values(value).toSorted().join());

function enumsOf(members: Members): readonly (readonly string[])[] {
  return Object.values(members).flatMap((shape) => enumsOfShape(shape));
}

function enumsOfShape(shape: Shape): readonly (readonly string[])[] {
  if (shape.kind === 'enum') return [shape.values];
  if (shape.kind === 'list') return enumsOfShape(shape.member);
  return shape.kind === 'structure' ? enumsOf(shape.members) : [];
}

describe('the service and the installed SDK', () => {
  test('have the same operations, so that a newer SDK shows what the service lacks', () => {
    const [served, asked] = [operations.map(({ name }) => name), sdkOperations.map((schema) => schema[2])];
    expect({
      missing: asked.filter((name) => !served.includes(name)),
      unknown: served.filter((name) => !asked.includes(name)),
      twice: served.filter((name, index) => served.indexOf(name) < index),
    }).toEqual({ missing: [], unknown: [], twice: [] });
  });
});

describe('the API tables and the installed SDK', () => {
  test('have the same 56 operations', () => {
    expect(sdkOperations).toHaveLength(56);
    expect([...apiOperations.keys()].toSorted()).toEqual(sdkOperations.map((schema) => schema[2]).toSorted());
  });

  test.each(sdkOperations.map((schema) => [schema[2], schema] as const))(
    '%s has the same members, types, required marks and errors',
    (name, schema) => {
      const api = apiOperations.get(name);
      if (api === undefined) throw new Error(`the tables lack ${name}`);
      compareMembers(name, schema[4](), api.input, true);
      const output = schema[5]();
      if (output[2] === undefined || output[0] !== STRUCTURE) expect(api.output).toBeUndefined();
      else compareMembers(name, output, api.output ?? {}, false);
      expect(api.errors.toSorted()).toEqual(documentedErrors(name).toSorted());
    },
  );

  test('every error of the SDK belongs to an operation of the tables', () => {
    const sdkErrors = Object.values(sdk as unknown as Record<string, unknown>)
      .filter((value): value is readonly unknown[] => Array.isArray(value) && value[0] === ERROR)
      .map((schema) => schema[2] as string)
      .filter((name) => name !== 'KMSServiceException');
    expect(sdkErrors).toHaveLength(48);
    expect([...new Set([...apiOperations.values()].flatMap((api) => api.errors))].toSorted()).toEqual(sdkErrors.toSorted());
  });

  test('every value set of the tables is one of the SDK', () => {
    for (const [name, api] of apiOperations) {
      for (const values of [...enumsOf(api.input), ...enumsOf(api.output ?? {})]) {
        expect(sdkEnums, `${name}: ${values.join()}`).toContain(values.toSorted().join());
      }
    }
  });
});
