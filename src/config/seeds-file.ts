/**
 * The file of seeds: keys with ids of the user's choice, as they are to be when a service starts that has never seen them. Member names are
 * those of the API. Complaints give file and line and never repeat key material.
 *
 *     keys:
 *       - KeyId: 1234abcd-12ab-34cd-56ef-1234567890ab
 *         Aliases: [alias/app]
 *         Material: { hex: 00112233... }
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { SecretBytes } from '../secret-bytes.ts';
import { readSecretFile } from './secret-source.ts';
import { section } from './section.ts';
import { ConfigError, configError, parseYamlSource, validateSource } from './yaml-source.ts';
import type { YamlSource } from './yaml-source.ts';

const fileBytesMax = 1_048_576;
const keysMax = 100_000;
const materialBytesMax = 8_192;

/** A key of the file. Whether spec, usage, policy and tags are possible is judged where requests are. */
export interface Seed {
  readonly keyId: string;
  readonly account: string;
  /** Absent: the first Region of the configuration. */
  readonly region: string | undefined;
  /** Members of a CreateKey request. */
  readonly createKey: Readonly<Record<string, unknown>>;
  readonly aliases: readonly string[];
  readonly enabled: boolean;
  /** Days between automatic rotations; undefined for none. */
  readonly rotationPeriodDays: number | undefined;
  /** The raw key, or PKCS#8 of a private key, DER or PEM. Undefined: the service makes the material. */
  readonly material: SecretBytes | undefined;
  /** Where it stands, for complaints: `file:line`. */
  readonly place: string;
}

const encodedMaterial = z.union(
  [
    z.strictObject({ hex: z.string().regex(/^([0-9a-fA-F]{2})+$/) }).transform(({ hex }) => ({ bytes: Buffer.from(hex, 'hex') })),
    z.strictObject({ base64: z.base64() }).transform(({ base64 }) => ({ bytes: Buffer.from(base64, 'base64') })),
    z.strictObject({ pem: z.string().startsWith('-----BEGIN') }).transform(({ pem }) => ({ bytes: Buffer.from(pem) })),
    z.strictObject({ file: z.string().min(1) }).transform(({ file }) => ({ path: file })),
  ],
  { error: 'expected {hex: "..."}, {base64: "..."}, {pem: "..."} or {file: PATH}, the text in quotes' },
);

const keySchema = section({
  KeyId: z.string({ error: 'expected a key id' }).regex(/^([0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|mrk-[0-9a-f]{32})$/, {
    error: 'expected a UUID in lower case, or mrk- and 32 hexadecimal digits',
  }),
  Account: z
    .string({ error: 'expected 12 digits, in quotes' })
    .regex(/^\d{12}$/, { error: 'expected 12 digits, in quotes' })
    .default('000000000000'),
  Region: z.string().min(1).optional(),
  KeySpec: z.string().default('SYMMETRIC_DEFAULT'),
  KeyUsage: z.string().optional(),
  Description: z.string().default(''),
  Policy: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  Tags: z.record(z.string(), z.string()).default({}),
  Aliases: z.array(z.string()).default([]),
  Enabled: z.boolean().default(true),
  RotationPeriodInDays: z.number().int().min(90).max(2_560).optional(),
  Material: encodedMaterial.optional(),
});
const fileSchema = section({ keys: z.array(keySchema, { error: 'expected a list of keys' }).max(keysMax) });

type Entry = z.infer<typeof keySchema>;

/**
 * Reads a file of seeds. `materialMustBePrivate`: key material in a file that other users can read is refused. Throws ConfigError with every problem of
 * the file.
 */
export function readSeedsFile(path: string, materialMustBePrivate: boolean): readonly Seed[] {
  const source = parseYamlSource(path, readText(path));
  const { keys } = validateSource(source, fileSchema);
  const repeated = keys.findIndex((key, index) => keys.findIndex((other) => sameKey(other, key)) < index);
  if (repeated >= 0) throw configError(path, `keys.${repeated}: this key is in the file twice`, source.lineOf(['keys', repeated]));
  // Reading it once more as a secret is what checks who may read the file.
  if (materialMustBePrivate && keys.some(({ Material: material }) => material !== undefined && 'bytes' in material)) {
    readSecretFile(path, 'key material of seeds', fileBytesMax).wipe();
  }
  return keys.map((entry, index) => seedOf(entry, index, source));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw configError(path, `cannot be read: ${(error as Error).message}`);
  }
}

function sameKey(a: Entry, b: Entry): boolean {
  return a.KeyId === b.KeyId && a.Account === b.Account && a.Region === b.Region;
}

function seedOf(entry: Entry, index: number, source: YamlSource): Seed {
  const { KeyId: keyId, Policy: policy, KeySpec, KeyUsage, Description, Material: material } = entry;
  const multiRegion = keyId.startsWith('mrk-');
  return {
    keyId,
    account: entry.Account,
    region: entry.Region,
    createKey: {
      KeySpec,
      Description,
      ...(KeyUsage !== undefined && { KeyUsage }),
      ...(policy !== undefined && { Policy: typeof policy === 'string' ? policy : JSON.stringify(policy, null, 2) }),
      ...(material !== undefined && { Origin: 'EXTERNAL' }),
      ...(multiRegion && { MultiRegion: true }),
      Tags: Object.entries(entry.Tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    },
    aliases: entry.Aliases,
    enabled: entry.Enabled,
    rotationPeriodDays: entry.RotationPeriodInDays,
    material: material === undefined ? undefined : materialOf(material, index, source),
    place: `${source.file}:${source.lineOf(['keys', index]) ?? 1}`,
  };
}

function materialOf(material: NonNullable<Entry['Material']>, index: number, source: YamlSource): SecretBytes {
  if ('bytes' in material) return new SecretBytes(material.bytes);
  try {
    return readSecretFile(resolve(dirname(source.file), material.path), 'key material', materialBytesMax);
  } catch (error) {
    const line = source.lineOf(['keys', index, 'Material']);
    throw new ConfigError([{ file: source.file, line, message: `keys.${index}.Material: ${(error as Error).message}` }]);
  }
}
