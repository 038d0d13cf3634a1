/** Keys and fingerprints derived inside the token from a material (encodings: `keys/key-derivation.ts`). */
import { equalConstantTime } from '../../bytes.ts';
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
import { materialIdOf } from '../../keys/material-id.ts';
import type { Mechanism } from '../../token/mechanism.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { BoundMaterial } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { epochKeyTemplate, fingerprintKeyTemplate } from './material-templates.ts';
import type { TokenSuite } from './material-templates.ts';

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

/** Throws KeyStoreError `internal` unless the object is the material that the record describes. */
export async function proveMaterial(token: Token, object: TokenObject, suite: TokenSuite, bound: BoundMaterial): Promise<void> {
  const { fingerprint, materialId } = bound.material;
  const matches = equalConstantTime(await fingerprintOf(token, object, suite), fingerprint);
  if (matches && materialIdOf(bound.key.keyId, fingerprint) === materialId) return;
  throw new KeyStoreError('internal', 'The token object is not the key material that the record describes; the key is not used');
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
