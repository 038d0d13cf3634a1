/** Keys and fingerprints derived inside the token from a material (encodings: `keys/key-derivation.ts`). */
import type { DerivationLabel } from '../../keys/key-derivation.ts';
import {
  cbcDerivationData,
  counterKdfFixedInput,
  epochLabel,
  fingerprintInput,
  fingerprintLabel,
  fingerprintNonce,
  zeroBlock,
} from '../../keys/key-derivation.ts';
import type { CiphertextSuite } from '../../keys/key-record.ts';
import type { Mechanism } from '../../token/mechanism.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import { epochKeyTemplate, fingerprintKeyTemplate } from './material-templates.ts';

/** A suite that this key store can make and use. */
export type TokenSuite = Exclude<CiphertextSuite, 'composed'>;

export function isTokenSuite(suite: CiphertextSuite): suite is TokenSuite {
  return suite !== 'composed';
}

/** A session AES-256 key for the epoch of `nonce`. */
export async function deriveEpochKey(token: Token, material: TokenObject, suite: TokenSuite, nonce: Uint8Array): Promise<TokenObject> {
  const { object } = await token.deriveKey(derivation(suite, epochLabel, nonce), material, epochKeyTemplate);
  return object;
}

/** 48 bytes that every copy of the material gives, and from which nothing of it can be learnt. */
export async function fingerprintOf(token: Token, material: TokenObject, suite: TokenSuite): Promise<Uint8Array> {
  if (suite === 'direct') return encryptFingerprint(token, material);
  const derived = await token.deriveKey(derivation(suite, fingerprintLabel, fingerprintNonce), material, fingerprintKeyTemplate);
  return withSessionObject(token, derived.object, (key) => encryptFingerprint(token, key));
}

/** Destroys a session object unless it is gone with its epoch already. */
export async function destroySessionObject(token: Token, object: TokenObject): Promise<void> {
  await token.recovering(async () => {
    if (token.isCurrent(object)) await token.destroyObject(object);
  });
}

/** Lends a session object to `work` and destroys it afterwards. */
export async function withSessionObject<T>(token: Token, object: TokenObject, work: (object: TokenObject) => Promise<T>): Promise<T> {
  try {
    return await work(object);
  } finally {
    await destroySessionObject(token, object);
  }
}

async function encryptFingerprint(token: Token, key: TokenObject): Promise<Uint8Array> {
  return token.encrypt({ name: 'AES_CBC', iv: zeroBlock }, key, fingerprintInput());
}

function derivation(suite: TokenSuite, label: DerivationLabel, nonce: Uint8Array): Mechanism {
  if (suite === 'derived-aes-cbc-data') return { name: 'AES_CBC_ENCRYPT_DATA', iv: zeroBlock, data: cbcDerivationData(label, nonce) };
  if (suite === 'derived-sp800-108') {
    return { name: 'SP800_108_COUNTER_KDF', prf: 'SHA256_HMAC', counterBits: 32, fixedInput: counterKdfFixedInput(label, nonce) };
  }
  throw new KeyStoreError('internal', 'A material of the direct suite derives no keys');
}
