/** Command-line flags over a configuration: a flag wins over the file. Also the rules that hold between settings once both are known. */
import { BlockList, isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { Config, KeyStoreConfig, TokenConfig } from './config.ts';
import { ConfigError, type ConfigProblem } from './yaml-source.ts';

/** Flags of `hsm-kms serve`, already checked for form. */
export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Name of the key store for new keys; `software` always exists. */
  readonly store?: string | undefined;
  readonly auth?: 'sigv4' | 'emulator' | undefined;
  /** Serve these Regions only. */
  readonly region?: readonly string[] | undefined;
  readonly logLevel?: Config['log']['level'] | undefined;
  readonly isolation?: TokenConfig['isolation'] | undefined;
  readonly clock?: Config['clock'] | undefined;
  readonly seeds?: string | undefined;
}

const software = 'software';

/** `config` with the flags laid over it. Throws ConfigError when they do not fit together. */
export function applyFlags(config: Config, flags: ConfigFlags): Config {
  const dataDirectory = flags.data === undefined ? config.dataDirectory : resolve(flags.data);
  const keyStores = withSoftwareStore(config.keyStores, flags.store, dataDirectory);
  const keyStore = flags.store ?? config.regions[0]?.keyStore ?? software;
  const problems: ConfigProblem[] = [];
  if (!keyStores.some((store) => store.name === keyStore)) {
    problems.push(flagProblem('--store', `'${keyStore}' is not a key store; allowed: ${keyStores.map((store) => store.name).join(', ')}`));
  }
  const applied: Config = {
    ...config,
    dataDirectory,
    listener: { ...config.listener, host: flags.host ?? config.listener.host, port: flags.port ?? config.listener.port },
    auth: { ...config.auth, mode: flags.auth ?? config.auth.mode },
    tokens: config.tokens.map((token) => ({ ...token, isolation: flags.isolation ?? token.isolation })),
    keyStores,
    regions: regionsUnder(flags, config, keyStore),
    anyRegion: flags.region === undefined && config.anyRegion,
    clock: flags.clock ?? config.clock,
    ...(flags.seeds !== undefined && { seedsFile: resolve(flags.seeds) }),
    log: { level: flags.logLevel ?? config.log.level },
  };
  problems.push(...listenerProblems(applied), ...softwareProblems(applied), ...clockProblems(applied));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(applied);
}

function regionsUnder({ region, store }: ConfigFlags, { regions }: Config, keyStore: string): Config['regions'] {
  if (region !== undefined) return region.map((name) => ({ region: name, keyStore }));
  return store === undefined ? regions : regions.map((entry) => ({ region: entry.region, keyStore }));
}

/** True for an address that only this machine reaches. A host name other than localhost could be anything. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  if (family === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function withSoftwareStore(
  stores: readonly KeyStoreConfig[],
  wanted: string | undefined,
  dataDirectory: string,
): readonly KeyStoreConfig[] {
  if (wanted !== software || stores.some((store) => store.name === software)) return stores;
  return [...stores, { kind: software, name: software, rootKey: { kind: 'file', path: join(dataDirectory, 'root.key') } }];
}

function listenerProblems(config: Config): readonly ConfigProblem[] {
  const { host, tls } = config.listener;
  if (isLoopback(host)) return [];
  if (config.auth.mode === 'emulator')
    return [flagProblem('auth', `mode emulator believes every caller, so it listens on loopback only, not on ${host}`)];
  if (tls === undefined)
    return [flagProblem('listener', `${host} is not a loopback address and needs TLS: set listener.tls, or listen on 127.0.0.1`)];
  return [];
}

function softwareProblems({ hardwareOnly, keyStores }: Config): readonly ConfigProblem[] {
  if (!hardwareOnly) return [];
  return keyStores.flatMap((store) => {
    if (store.kind === 'software')
      return [flagProblem('hardwareOnly', `forbids keys in software, and the key store ${store.name} is one: take one of them out`)];
    if (store.import !== 'via-software') return [];
    const reason = `forbids that key material passes through software, and the key store ${store.name} has import: via-software`;
    return [flagProblem('hardwareOnly', `${reason}: take one of them out`)];
  });
}

/** Time that can be moved destroys keys early: only those that nobody will miss. */
function clockProblems({ clock, auth, tokens }: Config): readonly ConfigProblem[] {
  if (clock !== 'virtual') return [];
  const problems = tokens
    .filter((token) => token.development !== true)
    .map((token) =>
      flagProblem('clock', `virtual is for tokens made for development; the entry of ${token.name} does not say development: true`),
    );
  return auth.mode === 'emulator'
    ? problems
    : [...problems, flagProblem('clock', 'virtual can be moved by every caller, so it needs auth: emulator')];
}

function flagProblem(where: string, message: string): ConfigProblem {
  return { file: where, line: undefined, message };
}
