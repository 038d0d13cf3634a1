import { describe, expect, it } from 'vitest';
import { additionalData } from '../../../../src/keys/ciphertext-blob.ts';
import { canonicalEncryptionContext } from '../../../../src/keys/encryption-context.ts';
import { EncryptionEpoch, epochLimits, epochLimitsOfVaultMadeIvs } from '../../../../src/keystore/symmetric/encryption-epoch.ts';
import { SharedKey } from '../../../../src/keystore/symmetric/shared-key.ts';

const names = { materialId: 'm', nonce: '00', headerBytes: Uint8Array.of(1, 2, 3) };
const sharedKey = (): SharedKey<string> => new SharedKey('key', async () => {});

describe('an encryption epoch', () => {
  it('lasts 2^32 calls, or 2^28 where the vault makes the IVs, and 24 hours', () => {
    expect(epochLimits).toEqual({ callsMax: 4_294_967_296, ageMsMax: 86_400_000 });
    expect(epochLimitsOfVaultMadeIvs).toEqual({ callsMax: 268_435_456, ageMsMax: 86_400_000 });
  });

  it('gives each number once, and none beyond its limit', () => {
    const epoch = new EncryptionEpoch(sharedKey(), names, { callsMax: 3, ageMsMax: 1000 }, 0);
    expect([0, 1, 2, 3, 4].map(() => epoch.takeNumber(10))).toEqual([0, 1, 2, undefined, undefined]);
  });

  it('gives no number after its time', () => {
    const epoch = new EncryptionEpoch(sharedKey(), names, { callsMax: 3, ageMsMax: 1000 }, 500);
    expect(epoch.takeNumber(1499)).toBe(0);
    expect(epoch.takeNumber(1500)).toBeUndefined();
  });

  it('gives no number once its key was retired', async () => {
    const shared = sharedKey();
    const epoch = new EncryptionEpoch(shared, names, epochLimits, 0);
    await shared.retire();
    expect(epoch.takeNumber(0)).toBeUndefined();
  });

  it('authenticates header and context, whether the context is empty or not', () => {
    const epoch = new EncryptionEpoch(sharedKey(), names, epochLimits, 0);
    for (const context of [canonicalEncryptionContext({}), canonicalEncryptionContext({ a: 'b' }), Uint8Array.of(0, 0, 0, 1)]) {
      expect(Buffer.from(epoch.additionalData(context))).toEqual(Buffer.from(additionalData(names.headerBytes, context)));
    }
  });
});
