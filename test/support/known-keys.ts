/** Places that hold a key whose bytes the test knows, so that published vectors can be run on its uses. */
import { createECDH, createHmac, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import type { KeyUsage, MaterialRecord } from '../../src/keys/key-record.ts';
import { macKeyFingerprint, macKeyFingerprintInput, publicKeyFingerprint } from '../../src/keys/key-fingerprint.ts';
import { keyShape } from '../../src/keys/algorithms.ts';
import type { EcCurve, MessageType } from '../../src/keys/algorithms.ts';
import { materialIdOf } from '../../src/keys/material-id.ts';
import { isPublicKeyOf } from '../../src/keys/peer-public-key.ts';
import { KeyStoreError } from '../../src/keystore/keystore.ts';
import type { BoundKey, KeyStore, KeyUses } from '../../src/keystore/keystore.ts';
import { openSoftwareKeyStore } from '../../src/keystore/software/key-store.ts';
import { sealMaterial } from '../../src/keystore/software/sealed-material.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { newKey, testParts } from './key-store-parts.ts';

/** A key with known bytes: PKCS#8 and SubjectPublicKeyInfo, or the bytes of an HMAC key. */
export interface KnownKey {
  readonly keySpec: string;
  readonly keyUsage: KeyUsage;
  readonly secret: Uint8Array;
  readonly publicKey?: Uint8Array;
}

/** The uses of a held key. What the caller got wrong resolves to undefined; every other failure rejects. */
export interface HeldKey {
  /** Whether `code` is the whole HMAC of the message. */
  isCode(algorithm: string, message: Uint8Array, code: Uint8Array): Promise<boolean>;
  sign(algorithm: string, messageType: MessageType, message: Uint8Array): Promise<Uint8Array>;
  decrypt(algorithm: string, ciphertext: Uint8Array): Promise<Uint8Array | undefined>;
  agree(peerPublicKey: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface KnownKeyPlace {
  readonly name: string;
  hold(key: KnownKey): Promise<HeldKey>;
  close(): Promise<void>;
}

/** The software key store, with materials sealed by the test under the store's root key. */
export function softwarePlace(): KnownKeyPlace {
  const rootKey = randomBytes(32);
  const parts = { ...testParts(), rootKey: new SecretBytes(Uint8Array.from(rootKey)) };
  const store = openSoftwareKeyStore({ name: 'software' }, parts) as KeyStore & KeyUses;
  return {
    name: 'the software key store',
    hold: async (known) => {
      const bound = sealed(rootKey, known);
      return {
        isCode: async (algorithm, message, code) => Buffer.compare(await store.mac(bound, algorithm, message), code) === 0,
        sign: (algorithm, messageType, message) => store.sign(bound, { algorithm, messageType, message }),
        decrypt: (algorithm, ciphertext) => store.decryptWithPrivateKey(bound, algorithm, ciphertext).catch(undefinedIfInvalid),
        agree: async (peer) => (isPublicKeyOf(known.keySpec, peer) ? store.agree(bound, peer) : undefined),
      };
    },
    close: () => store.close(),
  };
}

function sealed(rootKey: Uint8Array, { keySpec, keyUsage, secret, publicKey }: KnownKey): BoundKey {
  const key = { ...newKey(), keySpec, keyUsage };
  const fingerprint = publicKey === undefined ? macFingerprint(keySpec, secret) : publicKeyFingerprint(publicKey);
  const materialId = materialIdOf(key.keyId, fingerprint);
  const binding = { key, keySpec, keyUsage, suite: 'none', custody: 'full', materialId, fingerprint } as const;
  const reference = sealMaterial(new SecretBytes(Uint8Array.from(rootKey)), randomBytes(12), secret, binding);
  const material: MaterialRecord = {
    materialId,
    keyStore: 'software',
    protection: 'SOFTWARE',
    residency: 'software',
    custody: 'full',
    reference,
    fingerprint,
    createdAtMs: 0,
    ...(publicKey && { publicKey }),
  };
  return { key, material };
}

function macFingerprint(keySpec: string, secret: Uint8Array): Uint8Array {
  const shape = keyShape(keySpec);
  if (shape.type !== 'hmac') throw new TypeError(`a key of ${keySpec} needs its public key`);
  return macKeyFingerprint(createHmac(shape.digest, secret).update(macKeyFingerprintInput()).digest());
}

function undefinedIfInvalid(error: unknown): undefined {
  if (error instanceof KeyStoreError && error.kind === 'invalid-ciphertext') return undefined;
  throw error;
}

/** The pair of a scalar, which may have leading zeros too many or too few. */
export function ecPair(curve: EcCurve, scalar: Uint8Array): Pick<KnownKey, 'secret'> & { readonly publicKey: Uint8Array } {
  const point = createECDH(curve);
  point.setPrivateKey(scalar);
  const [x, y] = halves(point.getPublicKey().subarray(1));
  const crv = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521', secp256k1: 'secp256k1' }[curve];
  const d = Buffer.concat([Buffer.alloc(x.length), scalar]).subarray(-x.length);
  const jwk = { kty: 'EC', crv, x: x.toString('base64url'), y: y.toString('base64url'), d: d.toString('base64url') };
  const secret = createPrivateKey({ key: jwk, format: 'jwk' });
  return {
    secret: secret.export({ format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey(secret).export({ format: 'der', type: 'spki' }),
  };
}

function halves(bytes: Buffer): readonly [Buffer, Buffer] {
  return [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)];
}

/** The pair of a private RSA key in PKCS#8. */
export function rsaPair(secret: Uint8Array): Pick<KnownKey, 'secret'> & { readonly publicKey: Uint8Array } {
  const key = createPrivateKey({ key: Buffer.from(secret), format: 'der', type: 'pkcs8' });
  return { secret, publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }) };
}
