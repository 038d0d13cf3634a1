/** What the configuration file and a token profile may say. References between parts are checked in `load-config.ts`. */
import { z } from 'zod';
import type { Config, CustomKeyStoreConfig, KeyStoreConfig, ListenerConfig, RegionConfig, SecretReference } from './config.ts';
import { flag, oneOf, secretForms, secretReference, section, text, wholeNumber } from './section.ts';
import { tpmForms, tpmProblem, tpmReference } from './tpm-reference.ts';
import type { TokenSettings } from './token-settings.ts';

const itemsMax = 256;
const threadsMax = 128;
const deadlineMsMax = 3_600_000;

/** A token profile: settings, and what a person should know about this family of tokens. */
export type Profile = TokenSettings & { readonly description?: string | undefined };

/** A token's entry in the configuration file. */
export type TokenEntry = TokenSettings & {
  readonly name: string;
  readonly profile?: string | undefined;
  readonly label?: string | undefined;
  readonly serial?: string | undefined;
  readonly pin: SecretReference;
  readonly development?: boolean | undefined;
};

/** The whole file, defaults filled in. Paths are still as they were written. */
export interface ConfigFile extends Pick<Config, 'anyRegion' | 'hardwareOnly' | 'clock' | 'limits' | 'log'> {
  readonly dataDirectory: string;
  readonly listener: Omit<ListenerConfig, 'tls'> & { readonly tls?: ListenerConfig['tls'] };
  readonly auth: { readonly mode: 'sigv4' | 'emulator'; readonly credentialsFile?: string | undefined };
  readonly attestation?: Config['attestation'] | undefined;
  readonly seedsFile?: string | undefined;
  readonly tokens: readonly TokenEntry[];
  readonly keyStores: readonly KeyStoreConfig[];
  readonly regions: readonly RegionEntry[];
  readonly customKeyStores: readonly CustomKeyStoreConfig[];
}

/** A Region's entry in the configuration file. */
export interface RegionEntry extends Pick<RegionConfig, 'region' | 'keyStore'> {
  readonly fallback: 'never' | 'unsupported';
  readonly fallbackKeyStore?: string | undefined;
}

const name = z
  .string({ error: 'expected a name' })
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'expected a name of lower-case letters, digits and hyphens, at most 63 characters' });
const region = z
  .string({ error: 'expected a Region' })
  .regex(/^[a-z]{2,3}(-[a-z]+)+-\d{1,2}$/, { error: 'expected the name of a Region, such as us-east-1' });
const threads = wholeNumber(1, threadsMax).optional();
const deadlineMs = wholeNumber(50, deadlineMsMax).optional();

const settingsShape = {
  module: z
    .union([text('a path'), z.array(text('a path')).min(1)], { error: 'expected the path of a PKCS#11 module, or a list of paths' })
    .optional(),
  functionList: oneOf('C', 'FC').optional(),
  initialize: section({
    nullArguments: flag.optional(),
    osLocking: flag.optional(),
    reserved: text('the text passed as pReserved', 4_096).optional(),
  }).optional(),
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), text('the value of a variable', 4_096)).optional(),
  isolation: oneOf('process', 'none').optional(),
  threads: section({ fast: threads, anchor: threads, slow: threads }).optional(),
  deadlinesMs: section({ fast: deadlineMs, slow: deadlineMs, keyGeneration: deadlineMs, start: deadlineMs }).optional(),
  graceMs: wholeNumber(0, deadlineMsMax).optional(),
  epochKeysMax: wholeNumber(1, 1_000_000).optional(),
  deepBind: flag.optional(),
  gcmIvSource: oneOf('supplied', 'token-zeroed', 'token-appended', 'measure').optional(),
  omitAttributes: z.array(text('an attribute name without CKA_')).optional(),
};

const token = section({
  name,
  profile: text('the name of a profile in hsm-config, or the path of a profile file').optional(),
  label: text('the label of the token', 32).optional(),
  serial: text('the serial number of the token', 16).optional(),
  pin: secretReference,
  development: flag.optional(),
  ...settingsShape,
});

const fingerprint = z
  .string({ error: 'expected a fingerprint' })
  .regex(/^[0-9a-f]{64}$/, { error: 'expected a fingerprint as hsm-kms keys transport prints it: 64 lower-case hexadecimal digits' });
const transport = section({ pins: z.array(section({ keyStore: name, fingerprint })).max(itemsMax) })
  .optional()
  .transform((given) => given ?? { pins: [] });
const pkcs11Store = section({
  kind: z.literal('pkcs11'),
  name,
  token: name,
  residency: oneOf('token', 'wrapped').default('token'),
  suite: oneOf('measured', 'derived', 'direct').default('measured'),
  custody: oneOf('full', 'reduced').default('full'),
  import: oneOf('in-token', 'via-software').default('in-token'),
  transport,
});
const tokenRootKey = z.strictObject({ token: name }).transform(({ token: from }) => ({ kind: 'token', token: from }) as const);
const tpmRootKey = z.strictObject({ tpm: tpmReference }).transform(({ tpm }) => tpm);
const rootKeyForms = `${secretForms}, a token: {token: NAME}, or ${tpmForms}`;
const rootKey = z.union([secretReference, tpmRootKey, tokenRootKey], { error: (issue) => tpmProblem(issue) ?? rootKeyForms });
const softwareStore = section({
  kind: z.literal('software'),
  name,
  rootKey: rootKey.default({ kind: 'file', path: 'root.key' }),
  transport,
});
const keyStore = z.discriminatedUnion('kind', [pkcs11Store, softwareStore], {
  error: 'expected a key store with kind: pkcs11 or kind: software',
});

const regionEntry = section({
  region,
  keyStore: name,
  fallback: oneOf('never', 'unsupported').default('never'),
  fallbackKeyStore: name.optional(),
});

const customKeyStore = section({
  clusterId: z
    .string({ error: 'expected the id of a cluster' })
    .regex(/^cluster-[2-7a-zA-Z]{11,16}$/, { error: 'expected cluster- and 11 to 16 letters or digits 2 to 7' }),
  account: z
    .string({ error: 'expected an account id: 12 digits, in quotes' })
    .regex(/^\d{12}$/, { error: 'expected an account id: 12 digits, in quotes' }),
  region,
  keyStore: name,
  trustAnchorFile: text('a path'),
  password: secretReference,
});

const listener = section({
  host: text('a host name or an IP address', 253).default('127.0.0.1'),
  port: wholeNumber(0, 65_535).default(4_599),
  tls: section({ certificateFile: text('a path'), keyFile: text('a path') }).optional(),
});

const limits = section({
  bodyBytesMax: wholeNumber(1_024, 16_777_216).default(262_144),
  headerBytesMax: wholeNumber(1_024, 1_048_576).default(32_768),
  requestTimeoutMs: wholeNumber(100, 600_000).default(30_000),
  connectionsMax: wholeNumber(1, 65_535).default(1_024),
});

/** A file of hsm-config. */
export const profileSchema: z.ZodType<Profile> = section({ description: text('a description', 4_096).optional(), ...settingsShape });

/** The configuration file. */
export const configSchema: z.ZodType<ConfigFile> = section({
  dataDirectory: text('a path', 4_096).default('.'),
  listener: listener.prefault({}),
  auth: section({ mode: oneOf('sigv4', 'emulator').default('sigv4'), credentialsFile: text('a path').optional() }).prefault({}),
  attestation: section({ rootCertificateFile: text('a path') }).optional(),
  tokens: z.array(token, { error: 'expected a list of tokens' }).max(itemsMax).default([]),
  keyStores: z
    .array(keyStore, { error: 'expected a list of key stores' })
    .min(1, { error: 'expected at least one key store' })
    .max(itemsMax),
  regions: z.array(regionEntry, { error: 'expected a list of Regions' }).min(1, { error: 'expected at least one Region' }).max(itemsMax),
  customKeyStores: z.array(customKeyStore, { error: 'expected a list of custom key stores' }).max(itemsMax).default([]),
  anyRegion: flag.default(false),
  hardwareOnly: flag.default(false),
  clock: oneOf('system', 'virtual').default('system'),
  seedsFile: text('a path').optional(),
  log: section({ level: oneOf('debug', 'info', 'warn', 'error', 'silent').default('info') }).prefault({}),
  limits: limits.prefault({}),
});
