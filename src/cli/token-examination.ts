/** What `doctor` looks at in one token: module, presence, PIN, what it was measured to do, and what a thief of the PIN could do. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toHex } from '../bytes.ts';
import { systemClock } from '../clock.ts';
import type { KeyStoreConfig, TokenConfig } from '../config/config.ts';
import { pinLatchDirectory, pinSource } from '../config/pin-source.ts';
import { KeyStoreError } from '../keystore/keystore.ts';
import type { ServedAlgorithm } from '../keystore/served-algorithms.ts';
import { openPkcs11KeyStore } from '../keystore/pkcs11/key-store.ts';
import { silentLog } from '../log.ts';
import { openToken, type TokenDependencies } from '../token/open-token.ts';
import { FilePinLatch, pinLatchKey } from '../token/pin-latch.ts';
import { measureTheft } from '../token/theft.ts';
import type { Capabilities, Token } from '../token/token.ts';
import { askSecret } from './ask-secret.ts';
import type { Finding } from './examination.ts';
import { inspect, type InspectedToken, targetOf } from './inspection/inspection.ts';

type Pkcs11Config = Extract<KeyStoreConfig, { kind: 'pkcs11' }>;

/** Goes on as long as what comes next can be looked at. */
export async function* examineToken(token: TokenConfig, stores: readonly Pkcs11Config[], dataDirectory: string): AsyncGenerator<Finding> {
  const subject = `token ${token.name}`;
  const latch = new FilePinLatch(join(dataDirectory, pinLatchDirectory));
  const pin = pinSource(token, { environment: process.env, prompt: askSecret });
  const checks = [
    (): Finding => examineModule(token, subject),
    (): Promise<Finding> => examinePresence(token, subject),
    (): Promise<Finding> => examinePin(token, pin, latch, subject),
  ];
  for (const check of checks) {
    const finding = await check();
    yield finding;
    if (finding.verdict === 'wrong') return;
  }
  yield* examineService(token, stores, { log: silentLog, pin, pinLatch: latch });
}

function examineModule(token: TokenConfig, subject: string): Finding {
  if (existsSync(token.module)) return { verdict: 'right', subject, words: `module ${token.module}` };
  return {
    verdict: 'wrong',
    subject,
    words: `there is no module at ${token.module}`,
    remedy: `install the token's library, or name its path with module (looked in ${dirname(token.module)})`,
  };
}

/** Through the independent binding, without the PIN. */
async function examinePresence(token: TokenConfig, subject: string): Promise<Finding> {
  const wrong = (words: string, remedy: string): Finding => ({ verdict: 'wrong', subject, words, remedy });
  try {
    const info = await inspect<InspectedToken>({ ...targetOf(token), task: 'info' }, token.environment);
    if (!info.initialized) return wrong('the token is not initialised', `hsm-kms token init --initialize --token ${token.name}`);
    if (!info.pinSet) return wrong('the user PIN was never set', "set it with the token maker's tool and the SO PIN");
    if (info.pinLocked) return wrong('the user PIN is locked', "unlock it with the token maker's tool and the SO PIN");
    if (info.pinFinalTry) return wrong('one more wrong PIN locks the token', 'check the PIN by hand before anything tries it');
    const words = `'${info.label}' serial ${info.serial}, ${info.manufacturer} ${info.model}, ${info.mechanisms.length} mechanisms`;
    return info.pinCountLow ? { verdict: 'note', subject, words: `${words}; a wrong PIN was tried` } : { verdict: 'right', subject, words };
  } catch (error) {
    return wrong(
      (error as Error).message,
      'check label or serial, the environment of the token, and its connection; hsm-kms token info shows what there is',
    );
  }
}

async function examinePin(token: TokenConfig, pin: TokenDependencies['pin'], latch: FilePinLatch, subject: string): Promise<Finding> {
  const refused = latch.isSet(pinLatchKey(token));
  if (refused !== undefined)
    return {
      verdict: 'wrong',
      subject,
      words: refused,
      remedy: 'put the right PIN in place (a new PIN file is a new PIN; else run hsm-kms token unlatch), then start the daemon again',
    };
  try {
    (await pin()).wipe();
    return { verdict: 'right', subject, words: 'the PIN can be read' };
  } catch (error) {
    return {
      verdict: 'wrong',
      subject,
      words: (error as Error).message,
      remedy: 'point pin to a file with mode 600 that belongs to this user',
    };
  }
}

/** Logs in, measures, and asks the key stores what they could make of it. */
async function* examineService(
  config: TokenConfig,
  stores: readonly Pkcs11Config[],
  dependencies: TokenDependencies,
): AsyncGenerator<Finding> {
  const subject = `token ${config.name}`;
  let token: Token;
  try {
    token = await openToken(config, dependencies);
  } catch (error) {
    yield {
      verdict: 'wrong',
      subject,
      words: `the token cannot be brought into service: ${(error as Error).message}`,
      remedy: 'what it says above, then hsm-kms doctor again',
    };
    return;
  }
  try {
    yield { verdict: 'right', subject, words: `in service; ${capabilityText(token.capabilities)}` };
    for (const store of stores) yield* examineKeyStore(store, token, config);
  } finally {
    await token.close();
  }
  yield* examineTheft(config, dependencies);
}

/** The key store says itself what it could make; it is opened and closed without making anything. */
async function* examineKeyStore(config: Pkcs11Config, token: Token, { epochKeysMax }: TokenConfig): AsyncGenerator<Finding> {
  const subject = `key store ${config.name}`;
  const leases = { lease: (): Promise<number> => Promise.reject(new KeyStoreError('internal', 'doctor uses no keys')) };
  try {
    const store = await openPkcs11KeyStore(config, token, { clock: systemClock, log: silentLog, leases, epochKeysMax });
    const { suite, residency, remarks, keySpecs = [] } = store.describe();
    const algorithms = store.algorithms?.() ?? [];
    const objects = (await store.listObjectIds()).map(toHex);
    await store.close();
    if (keySpecs.length === 0) {
      const remedy =
        residency === 'wrapped' ? `hsm-kms token init --token ${config.token}, or residency: token` : 'another suite, or another token';
      yield { verdict: 'wrong', subject, words: remarks.join('; ') || 'it cannot make keys', remedy };
      return;
    }
    yield {
      verdict: 'right',
      subject,
      words: `new keys: residency ${residency}, suite ${suite ?? 'none'}, custody ${config.custody}; ${objects.length} key objects in the token`,
    };
    yield { verdict: 'right', subject, words: `key specs: ${keySpecs.join(', ')}` };
    for (const words of [...remarks, ...shortcomings(keySpecs, algorithms)]) yield { verdict: 'note', subject, words };
  } catch (error) {
    yield {
      verdict: 'wrong',
      subject,
      words: (error as Error).message,
      remedy: `hsm-kms token objects --token ${config.token} shows what the token holds`,
    };
  }
}

/** Specs that are refused, and algorithms of the others that are not wholly the token's work. */
function shortcomings(keySpecs: readonly string[], algorithms: readonly ServedAlgorithm[]): readonly string[] {
  const refused = new Set(algorithms.map(({ keySpec }) => keySpec).filter((keySpec) => !keySpecs.includes(keySpec)));
  const partly = algorithms.filter(({ keySpec, how }) => keySpecs.includes(keySpec) && (how === 'composed' || how === 'refused'));
  const words = partly.map(({ algorithm, reason }) =>
    reason === undefined ? `${algorithm} is composed: the padding is not the token's work` : `${algorithm} is refused: ${reason}`,
  );
  return [...(refused.size === 0 ? [] : [`no new keys of spec ${[...refused].join(', ')}`]), ...new Set(words)];
}

async function* examineTheft(config: TokenConfig, dependencies: TokenDependencies): AsyncGenerator<Finding> {
  const subject = 'thief of the PIN';
  try {
    const attempts = await measureTheft(config, dependencies);
    for (const { attempt, succeeded, explanation } of attempts) {
      if (succeeded) yield { verdict: 'note', subject, words: `can ${attempt}: ${explanation}` };
    }
    const failed = attempts.filter((attempt) => !attempt.succeeded).length;
    yield {
      verdict: 'right',
      subject,
      words: `${failed} of ${attempts.length} attempts on probe keys failed; using keys inside the token while logged in can never be prevented`,
    };
  } catch (error) {
    yield {
      verdict: 'wrong',
      subject,
      words: `could not be measured: ${(error as Error).message}`,
      remedy: 'hsm-kms doctor again once the token answers',
    };
  }
}

function capabilityText(capabilities: Capabilities): string {
  const named = Object.entries(capabilities).filter(([, value]) => value !== false && value !== undefined && String(value) !== '');
  return named.map(([name, value]) => (value === true ? name : `${name} ${String(value)}`)).join(', ');
}
