/**
 * The composition root: builds the service from a configuration, in the one order that is safe, and takes it apart in reverse.
 * Everything that has state is made here and handed on; two services fit into one process.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { readCredentialsFile } from '../config/credentials-file.ts';
import { pinLatchDirectory, pinSource } from '../config/pin-source.ts';
import type { SecretSources } from '../config/secret-source.ts';
import { readSeedsFile } from '../config/seeds-file.ts';
import { ComputingThreads } from '../keystore/computing/computing-threads.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import { transportFingerprint } from '../keystore/pinned-peers.ts';
import { type Kms, openKms, type ServiceParts } from '../kms.ts';
import type { Log } from '../log.ts';
import { BackgroundWork } from '../operations/background-work.ts';
import { LastUses } from '../operations/last-uses.ts';
import { applySeeds } from '../operations/seeding/apply-seeds.ts';
import { comparePresence } from '../operations/sweeps/presence.ts';
import { clockJumpMark } from '../operations/sweeps/destroy-key.ts';
import { runSweeps, sweepStopwatch } from '../operations/sweeps/run-sweeps.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { openToken } from '../token/open-token.ts';
import { FilePinLatch } from '../token/pin-latch.ts';
import type { Token } from '../token/token.ts';
import { type Administration, clockAdministration } from '../wire/administration.ts';
import type { Authenticator } from '../wire/authenticator.ts';
import { emulatorAuthenticator } from '../wire/emulator-authenticator.ts';
import { partitionOf } from '../keys/partition.ts';
import { openWireServer } from '../wire/server.ts';
import { sigv4Authenticator } from '../wire/sigv4/sigv4-authenticator.ts';
import { configuredAttestation } from './attestation-root.ts';
import { CloseStack } from './close-stack.ts';
import { configuredClusters } from './configured-clusters.ts';
import { configuredKeyStores } from './configured-key-stores.ts';
import { openKeyStore } from './open-key-store.ts';
import { startSweeps, type StartTimer, type Sweeps } from './sweeps.ts';
import { VirtualClock } from './virtual-clock.ts';

const sweepIntervalMs = 60_000;
const namedInLogMax = 20;

/** What the service takes from its surroundings. */
export interface Surroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly secrets: SecretSources;
  readonly startTimer: StartTimer;
  /** An operator has looked at the time of this machine: deletions that a clock jump paused go on. */
  readonly clockConfirmed: boolean;
}

/** A service that answers. */
export interface Service {
  /** For example `http://127.0.0.1:4599`. */
  readonly url: string;
  /** Stops accepting, lets requests in flight finish for at most `drainMs`, then closes key stores, tokens and store. Never rejects. */
  close(drainMs: number): Promise<void>;
}

/**
 * Opens store, tokens and key stores, compares what they hold, starts scheduled work and listens. Rejects with an Error that
 * says what to do, everything opened so far closed again: a daemon that cannot reach its token at start does not start.
 */
export async function openService(config: Config, surroundings: Surroundings): Promise<Service> {
  const { clock, log, startTimer } = surroundings;
  const opened = new CloseStack(log);
  try {
    const parts = await openParts(config, surroundings, opened);
    await applySeedsOf(config, parts);
    const elapsed = sweepStopwatch(clock);
    const sweep = (): Promise<unknown> => runSweeps(parts, elapsed());
    await sweep();
    const sweeps = startSweeps({ sweep, intervalMs: sweepIntervalMs, startTimer, log });
    opened.push('sweeps', () => sweeps.stop());
    return await listen(config, parts, administrationOf(clock, sweeps), opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Store, tokens and key stores, checked against each other. Locks the data directory before anything else is touched. */
async function openParts(config: Config, surroundings: Surroundings, opened: CloseStack): Promise<ServiceParts> {
  const { clock, log } = surroundings;
  const store = await openSqliteStore({ directory: config.dataDirectory, clock, log });
  opened.push('store', () => store.close());
  if (surroundings.clockConfirmed) await store.setMark(clockJumpMark, undefined);
  const threads = new ComputingThreads();
  opened.push('computing threads', () => threads.close());
  const tokens = await openTokens(config, surroundings, opened);
  const keyStores: KeyStore[] = [];
  const findKeyStore = (name: string): KeyStore | undefined => keyStores.find((keyStore) => keyStore.name === name);
  for (const entry of config.keyStores) {
    const keyStore = await openKeyStore(entry, { clock, log, secrets: surroundings.secrets, store, threads, tokens, findKeyStore });
    opened.push(`key store ${entry.name}`, () => keyStore.close());
    keyStores.push(keyStore);
  }
  const lastUses = new LastUses(clock.nowMs());
  opened.push('last uses of keys', () => lastUses.write(store));
  const background = new BackgroundWork();
  opened.push('background work', () => background.settled());
  const parts: ServiceParts = {
    store,
    keyStores: configuredKeyStores(keyStores, config.regions, config.anyRegion),
    publicKeys: threads,
    clock,
    log,
    randomBytes,
    ownerId: randomUUID(),
    lastUses,
    background,
    clusters: configuredClusters(config.customKeyStores, keyStores, surroundings.secrets),
    attestation: configuredAttestation(config, clock),
  };
  for (const keyStore of keyStores) await checkKeyStore(keyStore, parts);
  return parts;
}

async function openTokens(
  { tokens: configs, dataDirectory }: Config,
  { log, secrets }: Surroundings,
  opened: CloseStack,
): Promise<ReadonlyMap<string, { token: Token; epochKeysMax: number }>> {
  const pinLatch = new FilePinLatch(join(dataDirectory, pinLatchDirectory));
  const tokens = new Map<string, { token: Token; epochKeysMax: number }>();
  for (const config of configs) {
    if (config.isolation === 'none')
      log.warn({ token: config.name }, 'isolation: none loads the module into this process, whose memory then holds what the module holds');
    // Deadlines of calls are of this machine's time, whatever time the service is at.
    const token = await openToken(config, { pin: pinSource(config, secrets), pinLatch, clock: systemClock, log });
    opened.push(`token ${config.name}`, () => token.close());
    tokens.set(config.name, { token, epochKeysMax: config.epochKeysMax });
  }
  return tokens;
}

/** Says what is limited in a key store, and where it and the store do not agree. Nothing is repaired here. */
async function checkKeyStore(keyStore: KeyStore, parts: ServiceParts): Promise<void> {
  const { remarks, ...description } = keyStore.describe();
  const transportKey = await keyStore.transportPublicKey?.();
  const transport = transportKey && { transportFingerprint: transportFingerprint(transportKey) };
  parts.log.info({ keyStore: keyStore.name, ...description, ...transport }, 'key store open');
  for (const remark of remarks) parts.log.warn({ keyStore: keyStore.name }, remark);
  const { missing, unknownObjectIds } = await comparePresence(keyStore, parts);
  if (missing.length > 0) {
    parts.log.error(
      { keyStore: keyStore.name, count: missing.length, missing: missing.slice(0, namedInLogMax) },
      'keys whose token objects are not found; they are reported, not deleted',
    );
  }
  if (unknownObjectIds.length > 0) {
    parts.log.warn(
      { keyStore: keyStore.name, count: unknownObjectIds.length, objectIds: unknownObjectIds.slice(0, namedInLogMax) },
      'token objects that no key names',
    );
  }
}

/** Makes what the seeds file names and no start before has made. Rejects with ConfigError or SeedError. */
async function applySeedsOf({ seedsFile, auth, regions }: Config, parts: ServiceParts): Promise<void> {
  if (seedsFile === undefined) return;
  const seeds = readSeedsFile(seedsFile, auth.mode !== 'emulator').map((seed) => {
    const region = seed.region ?? regions[0]?.region ?? '';
    return { ...seed, region, partition: partitionOf(region) };
  });
  const report = await applySeeds(seeds, parts);
  parts.log.info({ seedsFile, ...report }, 'seeds applied');
}

/** Time that can be moved is moved by requests; `applyFlags` has checked that the configuration allows it. */
function administrationOf(clock: Clock, sweeps: Sweeps): Administration | undefined {
  if (!(clock instanceof VirtualClock)) return undefined;
  return clockAdministration({ nowMs: () => clock.nowMs(), advance: (ms) => clock.advance(ms), sweep: () => sweeps.runNow() });
}

async function listen(
  config: Config,
  parts: ServiceParts,
  administration: Administration | undefined,
  opened: CloseStack,
): Promise<Service> {
  const kms: Kms = openKms(parts);
  const { clock, log } = parts;
  const ready = (): boolean => parts.keyStores.all().every((keyStore) => keyStore.health() === 'ready');
  const server = openWireServer({
    listener: config.listener,
    limits: config.limits,
    kms,
    authenticator: authenticatorOf(config, clock),
    administration,
    clock,
    log,
    ready,
  });
  const { url } = await server.listen();
  return {
    url,
    close: async (drainMs) => {
      await server.close({ drainMs });
      await opened.close();
    },
  };
}

function authenticatorOf({ auth, regions, anyRegion }: Config, clock: Clock): Authenticator {
  const served = anyRegion ? undefined : new Set(regions.map(({ region }) => region));
  if (auth.mode === 'emulator') return emulatorAuthenticator(served);
  if (auth.credentialsFile === undefined) throw new Error('auth: sigv4 needs a credentials file: set auth.credentialsFile');
  return sigv4Authenticator({
    credentials: readCredentialsFile(auth.credentialsFile),
    clock,
    ...(served === undefined ? {} : { regions: served }),
  });
}
