import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicKeyFingerprint } from '../../../src/keys/key-fingerprint.ts';
import type { KeyRecord, MaterialRecord } from '../../../src/keys/key-record.ts';
import { materialIdOf } from '../../../src/keys/material-id.ts';
import { publicKeyOf } from '../../../src/operations/key-uses.ts';

const keyId = '11111111-2222-3333-4444-555555555555';
const newPublicKey = (): Uint8Array => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' });

/** A key pair of which only the public half is looked at. */
function recordOf(changes: Partial<MaterialRecord> = {}): KeyRecord {
  const publicKey = newPublicKey();
  const fingerprint = publicKeyFingerprint(publicKey);
  const material = { materialId: materialIdOf(keyId, fingerprint), fingerprint, publicKey, ...changes };
  return { keyId, keySpec: 'ECC_NIST_P256', materials: [material], currentMaterialId: material.materialId } as unknown as KeyRecord;
}

describe('the public key of a record', () => {
  it('is given when fingerprint and material id are its own', () => {
    const record = recordOf();
    expect(publicKeyOf(record, 'Verify')).toBe(record.materials[0]?.publicKey);
    expect(publicKeyOf(record, 'Verify')).toBe(record.materials[0]?.publicKey);
  });

  it('is not given when it was put in the place of another, each time it is asked for', () => {
    const record = recordOf({ publicKey: newPublicKey() });
    const altered = expect.objectContaining({ name: 'KeyStoreError', kind: 'internal' }) as Error;
    expect(() => publicKeyOf(record, 'Verify')).toThrow(altered);
    expect(() => publicKeyOf(record, 'Verify')).toThrow(altered);
  });

  it('is not given when the fingerprint was changed with it: the material id tells', () => {
    const publicKey = newPublicKey();
    const record = recordOf({ publicKey, fingerprint: publicKeyFingerprint(publicKey) });
    expect(() => publicKeyOf(record, 'GetPublicKey')).toThrow('another');
  });
});
