/**
 * From a configuration file and command-line flags to one frozen Config: parsed once, references between its parts checked,
 * paths made absolute. Reads no secret.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Config, RegionConfig, RootKeyReference, TokenConfig } from './config.ts';
import { applyFlags, type ConfigFlags } from './flags.ts';
import { readProfile } from './profile.ts';
import { referenceProblems } from './references.ts';
import { type ConfigFile, configSchema, type RegionEntry, type TokenEntry } from './schema.ts';
import { mergeSettings } from './token-settings.ts';
import { ConfigError, type ConfigProblem, configError, parseYamlSource, validateSource, type YamlSource } from './yaml-source.ts';

/** The data directory when neither a flag nor a configuration file names one. */
export const defaultDataDirectory = '.hsm-kms';
/** Name of the configuration file inside a data directory. */
export const configFileName = 'config.yaml';

/**
 * Finds, reads and checks the configuration. `--config FILE` wins; else `config.yaml` in the data directory (`--data`, default
 * `.hsm-kms`); else, when the software store is asked for, a configuration that has only that. Throws ConfigError.
 */
export function loadConfig(flags: ConfigFlags): Config {
  const directory = resolve(flags.data ?? defaultDataDirectory);
  const file = resolve(flags.config ?? join(directory, configFileName));
  if (existsSync(file)) return applyFlags(readConfigFile(file), flags);
  if (flags.config === undefined && flags.store === 'software') return applyFlags(softwareOnly(directory), flags);
  throw configError(file, 'no such file; make one with scripts/start or hsm-kms setup, name one with --config, or use --store software');
}

/** Reads and checks one configuration file. Throws ConfigError with every problem found, each with its line. */
export function readConfigFile(file: string): Config {
  const source = parseYamlSource(file, readText(file));
  return completeConfig(validateSource(source, configSchema), source);
}

function softwareOnly(directory: string): Config {
  const text = 'keyStores: [{ kind: software, name: software }]\nregions: [{ region: us-east-1, keyStore: software }]\nanyRegion: true\n';
  const source = parseYamlSource(join(directory, configFileName), text);
  return completeConfig(validateSource(source, configSchema), source);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw configError(file, `cannot be read: ${(error as Error).message}`);
  }
}

/** Paths in the file are relative to the file's own directory. */
function completeConfig(file: ConfigFile, source: YamlSource): Config {
  const base = dirname(source.file);
  const at = (path: string): string => resolve(base, path);
  const problems = [...referenceProblems(file, source)];
  const tokens = file.tokens.map((token, index) => completeToken(token, index, source, problems));
  if (problems.length > 0) throw new ConfigError(problems);
  const { tls, ...listener } = file.listener;
  const { attestation, seedsFile } = file;
  return freezeDeep({
    dataDirectory: at(file.dataDirectory),
    listener: { ...listener, tls: tls === undefined ? undefined : { certificateFile: at(tls.certificateFile), keyFile: at(tls.keyFile) } },
    auth: { mode: file.auth.mode, credentialsFile: at(file.auth.credentialsFile ?? 'credentials.yaml') },
    ...(seedsFile !== undefined && { seedsFile: at(seedsFile) }),
    ...(attestation !== undefined && { attestation: { rootCertificateFile: at(attestation.rootCertificateFile) } }),
    tokens,
    keyStores: file.keyStores.map((store) => (store.kind === 'software' ? { ...store, rootKey: absolute(store.rootKey, base) } : store)),
    regions: file.regions.map(completeRegion),
    customKeyStores: file.customKeyStores.map((entry) => ({
      ...entry,
      trustAnchorFile: at(entry.trustAnchorFile),
      password: absolute(entry.password, base),
    })),
    anyRegion: file.anyRegion,
    hardwareOnly: file.hardwareOnly,
    clock: file.clock,
    log: file.log,
    limits: file.limits,
  });
}

function completeToken(entry: TokenEntry, index: number, source: YamlSource, problems: ConfigProblem[]): TokenConfig {
  const base = dirname(source.file);
  const problem = (member: string, message: string): void => {
    problems.push({ file: source.file, line: source.lineOf(['tokens', index, member]), message: `tokens.${index}: ${message}` });
  };
  if ((entry.label === undefined) === (entry.serial === undefined))
    problem('name', 'exactly one of label and serial says which token is meant');
  const settings = mergeSettings(
    profileOf(entry, base, (message) => problem('profile', message)),
    entry,
  );
  const modules = settings.module.map((path) => resolve(base, path));
  const module = modules.find((path) => existsSync(path)) ?? modules[0];
  if (module === undefined) problem('name', 'no module: name the PKCS#11 library of the token with module, or a profile that does');
  return {
    ...settings,
    module: module ?? '',
    name: entry.name,
    profile: entry.profile ?? 'none',
    label: entry.label,
    serial: entry.serial,
    pin: absolute(entry.pin, base),
    ...(entry.development === true && { development: true }),
  };
}

function completeRegion({ region, keyStore, fallbackKeyStore }: RegionEntry): RegionConfig {
  return { region, keyStore, ...(fallbackKeyStore !== undefined && { fallbackKeyStore }) };
}

function profileOf(entry: TokenEntry, base: string, complain: (message: string) => void): object {
  if (entry.profile === undefined) return {};
  try {
    return readProfile(entry.profile, base);
  } catch (error) {
    complain((error as Error).message);
    return {};
  }
}

function absolute<Reference extends RootKeyReference>(reference: Reference, base: string): Reference {
  if (reference.kind === 'tpm') return { ...reference, file: resolve(base, reference.file) };
  return reference.kind === 'file' ? { ...reference, path: resolve(base, reference.path) } : reference;
}

function freezeDeep<T extends object>(value: T): T {
  for (const member of Object.values(value) as unknown[]) if (typeof member === 'object' && member !== null) freezeDeep(member);
  return Object.freeze(value);
}
