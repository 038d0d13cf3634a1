/** What the parts of a configuration file call each other: names that are used twice, or used and not defined. */
import type { KeyStoreConfig } from './config.ts';
import type { ConfigFile, RegionEntry } from './schema.ts';
import type { ConfigProblem, YamlSource } from './yaml-source.ts';

/** A problem with the place where it is. */
type Misnomer = readonly [path: readonly PropertyKey[], message: string];

/** Names that are used twice, or used and not defined. */
export function* referenceProblems(file: ConfigFile, source: YamlSource): Generator<ConfigProblem> {
  for (const [path, message] of [...repeatedNames(file), ...unknownNames(file)]) {
    yield { file: source.file, line: source.lineOf(path), message: `${path.map(String).join('.')}: ${message}` };
  }
}

function* repeatedNames({ tokens, keyStores, regions, customKeyStores }: ConfigFile): Generator<Misnomer> {
  yield* repeats(
    'tokens',
    'name',
    tokens.map(({ name }) => name),
  );
  yield* repeats(
    'keyStores',
    'name',
    keyStores.map(({ name }) => name),
  );
  yield* repeats(
    'regions',
    'region',
    regions.map(({ region }) => region),
  );
  const clusters = customKeyStores.map(({ account, region, clusterId }) => `${clusterId} of account ${account} in ${region}`);
  yield* repeats('customKeyStores', 'clusterId', clusters);
}

function* repeats(list: string, member: string, names: readonly string[]): Generator<Misnomer> {
  for (const [index, name] of names.entries()) if (names.indexOf(name) < index) yield [[list, index, member], `'${name}' is there twice`];
}

function* unknownNames(file: ConfigFile): Generator<Misnomer> {
  const stores = file.keyStores.map((store) => store.name);
  for (const [index, store] of file.keyStores.entries()) yield* misnomersOfStore(store, index, file);
  for (const [index, region] of file.regions.entries()) {
    if (!stores.includes(region.keyStore)) yield [['regions', index, 'keyStore'], unknownName(region.keyStore, stores, 'keyStores')];
    const fallback = fallbackProblem(region, file);
    if (fallback !== undefined) yield [['regions', index, 'fallbackKeyStore'], fallback];
  }
  for (const [index, { keyStore }] of file.customKeyStores.entries()) {
    if (!stores.includes(keyStore)) yield [['customKeyStores', index, 'keyStore'], unknownName(keyStore, stores, 'keyStores')];
  }
}

function* misnomersOfStore(store: KeyStoreConfig, index: number, file: ConfigFile): Generator<Misnomer> {
  const tokens = file.tokens.map((token) => token.name);
  if (store.kind === 'pkcs11' && !tokens.includes(store.token)) {
    yield [['keyStores', index, 'token'], unknownName(store.token, tokens, 'tokens')];
  }
  if (store.kind === 'software' && store.rootKey.kind === 'token' && !tokens.includes(store.rootKey.token)) {
    yield [['keyStores', index, 'rootKey'], unknownName(store.rootKey.token, tokens, 'tokens')];
  }
  const pins = store.transport?.pins ?? [];
  const pinned = pins.map(({ keyStore }) => keyStore);
  for (const [number, keyStore] of pinned.entries()) {
    const isRepeated = pinned.indexOf(keyStore) < number;
    const problem = isRepeated ? `'${keyStore}' is there twice` : pinProblem(store, keyStore, file);
    if (problem !== undefined) yield [['keyStores', index, 'transport', 'pins', number, 'keyStore'], problem];
  }
}

function pinProblem(own: KeyStoreConfig, pinned: string, { keyStores }: ConfigFile): string | undefined {
  if (pinned === own.name) return 'a key store needs no pin of itself';
  const peers = keyStores.filter((store) => store.kind === own.kind && store.name !== own.name).map((store) => store.name);
  return peers.includes(pinned) ? undefined : unknownName(pinned, peers, `keyStores with kind: ${own.kind}`);
}

function fallbackProblem({ fallback, fallbackKeyStore }: RegionEntry, { keyStores }: ConfigFile): string | undefined {
  const software = keyStores.filter((store) => store.kind === 'software').map((store) => store.name);
  if (fallback === 'never') return fallbackKeyStore === undefined ? undefined : 'is for fallback: unsupported; fallback is never here';
  if (fallbackKeyStore === undefined) return 'fallback: unsupported needs the name of a software key store';
  return software.includes(fallbackKeyStore) ? undefined : unknownName(fallbackKeyStore, software, 'keyStores with kind: software');
}

function unknownName(name: string, known: readonly string[], where: string): string {
  return `'${name}' is not the name of an entry of ${where}; allowed: ${known.join(', ') || '(none is defined)'}`;
}
