import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  cbcDerivationData,
  counterKdfFixedInput,
  epochLabel,
  fingerprintInput,
  fingerprintLabel,
  fingerprintNonce,
} from '../../../src/keys/key-derivation.ts';
import { materialIdOf } from '../../../src/keys/material-id.ts';

const nonce = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

describe('the derivation encodings', () => {
  it('have labels of exactly one block, all different', () => {
    expect([epochLabel, fingerprintLabel].map((label) => Buffer.byteLength(label))).toEqual([16, 16]);
    expect(epochLabel).not.toBe(fingerprintLabel);
  });

  it('put the nonce first for AES-CBC, so that both halves of the key depend on it', () => {
    expect(Buffer.from(cbcDerivationData(epochLabel, nonce)).toString('hex')).toBe(
      nonce.toString('hex') + Buffer.from('hsm-kms epoch v1').toString('hex'),
    );
  });

  it('follow SP 800-108 for the counter KDF: label, zero byte, context, length in bits', () => {
    expect(Buffer.from(counterKdfFixedInput(epochLabel, nonce)).toString('hex')).toBe(
      Buffer.from('hsm-kms epoch v1').toString('hex') + '00' + nonce.toString('hex') + '00000100',
    );
  });

  it('reserve the zero nonce for fingerprints', () => {
    expect([...fingerprintNonce]).toEqual(Array.from({ length: 16 }, () => 0));
  });

  it('fingerprint three blocks, the first of which begins with a number that no IV has', () => {
    expect(fingerprintInput().length).toBe(48);
    expect(Buffer.from(fingerprintInput()).toString('latin1')).toBe('\xff\xff\xff\xffhsm-kms key material fingerprint v1' + '\0'.repeat(9));
  });
});

describe('the material id', () => {
  it('is SHA-256 over label, length and text of the key id, and fingerprint', () => {
    const fingerprint = Buffer.alloc(48, 3);
    const expected = createHash('sha256').update(
      Buffer.concat([Buffer.from('hsm-kms key material id v1'), Buffer.from([5]), Buffer.from('mrk-1'), fingerprint]),
    );
    expect(materialIdOf('mrk-1', fingerprint)).toBe(expected.digest('hex'));
  });

  it('differs between two keys with the same material', () => {
    expect(materialIdOf('key-a', new Uint8Array(48))).not.toBe(materialIdOf('key-b', new Uint8Array(48)));
  });
});
