/** Software key stores and materials with known bytes, for vectors. */
import { createHash } from 'node:crypto';
import type { CiphertextSuite, KeyIdentity } from '../../src/keys/key-record.ts';
import { materialIdOf } from '../../src/keys/material-id.ts';
import type { BoundMaterial, KeyStore } from '../../src/keystore/keystore.ts';
import { symmetricSpec } from '../../src/keystore/material-binding.ts';
import { openSoftwareKeyStore } from '../../src/keystore/software/key-store.ts';
import { softwareFingerprint } from '../../src/keystore/software/key-derivation.ts';
import { sealMaterial } from '../../src/keystore/software/sealed-material.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { testParts } from './key-store-parts.ts';

/** Fixed "random" bytes: SHA-256 over a seed and a counter. */
export function fixedRandom(seed: string): (target: Uint8Array) => void {
  let calls = 0;
  return (target) => {
    for (let at = 0; at < target.length; at += 32) {
      calls += 1;
      target.set(
        createHash('sha256')
          .update(`${seed} ${calls}`)
          .digest()
          .subarray(0, target.length - at),
        at,
      );
    }
  };
}

const rootKey = Buffer.alloc(32, 0x42);

export function openFixedStore(seed: string): KeyStore {
  return openSoftwareKeyStore(
    { name: 'software' },
    { ...testParts(), rootKey: new SecretBytes(Uint8Array.from(rootKey)), fillRandom: fixedRandom(seed) },
  );
}

/** The record of a material whose bytes are known. */
export function knownMaterial(key: KeyIdentity, suite: CiphertextSuite, material: Uint8Array): BoundMaterial {
  const fingerprint = softwareFingerprint(material, suite);
  const materialId = materialIdOf(key.keyId, fingerprint);
  const binding = { key, ...symmetricSpec, suite, custody: 'full', materialId, fingerprint } as const;
  const reference = sealMaterial(new SecretBytes(Uint8Array.from(rootKey)), Buffer.alloc(12, 1), material, binding);
  return {
    key,
    material: {
      materialId,
      keyStore: 'software',
      protection: 'SOFTWARE',
      residency: 'software',
      custody: 'full',
      suite,
      reference,
      fingerprint,
      createdAtMs: 0,
    },
  };
}
