/** The derivations and the fingerprint of `keys/key-derivation.ts`, computed in this process. */
import { createCipheriv, createHmac } from 'node:crypto';
import type { CiphertextSuite } from '../../keys/key-record.ts';
import type { DerivationLabel } from '../../keys/key-derivation.ts';
import {
  cbcDerivationData,
  counterKdfFixedInput,
  fingerprintInput,
  fingerprintLabel,
  fingerprintNonce,
  zeroBlock,
} from '../../keys/key-derivation.ts';
import { KeyStoreError } from '../keystore.ts';

/** The 32 bytes of an AES-256 key. The caller wipes them. */
export function deriveKey(material: Uint8Array, suite: CiphertextSuite, label: DerivationLabel, nonce: Uint8Array): Uint8Array {
  if (suite === 'derived-aes-cbc-data') return encryptCbc(material, cbcDerivationData(label, nonce));
  if (suite === 'derived-sp800-108') {
    return createHmac('sha256', material)
      .update(Uint8Array.of(0, 0, 0, 1))
      .update(counterKdfFixedInput(label, nonce))
      .digest();
  }
  throw new KeyStoreError('unsupported', `Key materials of the suite "${suite}" derive no keys in software`);
}

/** 48 bytes, equal to what a token computes from the same material. */
export function softwareFingerprint(material: Uint8Array, suite: CiphertextSuite): Uint8Array {
  if (suite === 'direct') return encryptCbc(material, fingerprintInput());
  const key = deriveKey(material, suite, fingerprintLabel, fingerprintNonce);
  try {
    return encryptCbc(key, fingerprintInput());
  } finally {
    key.fill(0);
  }
}

function encryptCbc(key: Uint8Array, data: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key, zeroBlock).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}
