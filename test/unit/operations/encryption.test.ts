/** Encrypt, Decrypt, ReEncrypt, GenerateDataKey and GenerateRandom: rules between members, dry runs, and what they refuse. */
import { describe, expect, test } from 'vitest';
import { base64, openFixture, refusal } from '../../support/kms-fixture.ts';
import { keyIdOf, keyOf } from '../../support/store-records.ts';
import type { KmsFixture } from '../../support/kms-fixture.ts';

const DRY_RUN = refusal('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');
const Plaintext = base64('secret');

async function withCiphertext(): Promise<KmsFixture & { readonly KeyId: string; readonly Arn: string; readonly CiphertextBlob: string }> {
  const fixture = openFixture();
  const { KeyId, Arn } = await fixture.createKey();
  const { CiphertextBlob } = await fixture.perform('Encrypt', { KeyId, Plaintext });
  return { ...fixture, KeyId, Arn, CiphertextBlob: base64(CiphertextBlob) };
}

describe('Decrypt', () => {
  test.each([
    [{}, "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"],
    [
      { CiphertextBlob: Plaintext, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
      "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    ],
    [
      { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] },
      "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    ],
  ])('%j is not valid', async (input, text) => {
    await expect(openFixture().perform('Decrypt', input)).rejects.toMatchObject(refusal('ValidationException', text));
  });

  test('with an asymmetric algorithm on a symmetric key is an invalid key usage', async () => {
    const { perform, KeyId, CiphertextBlob } = await withCiphertext();
    await expect(perform('Decrypt', { KeyId, CiphertextBlob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' })).rejects.toMatchObject(
      refusal('InvalidKeyUsageException', 'Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.'),
    );
  });

  test('naming a key that cannot decrypt is the incorrect key, not an invalid usage', async () => {
    const { perform, store, CiphertextBlob } = await withCiphertext();
    const mac = keyOf(1, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' });
    await store.commit([{ kind: 'put-key', record: mac, replacesVersion: 0 }]);
    await expect(perform('Decrypt', { CiphertextBlob, KeyId: keyIdOf(1) })).rejects.toMatchObject({ code: 'IncorrectKeyException' });
  });

  test('of a ciphertext under a deleted key is denied', async () => {
    const { perform, store, caller, KeyId, CiphertextBlob } = await withCiphertext();
    await store.commit([{ kind: 'delete-key', record: store.key(caller, KeyId)! }]);
    await expect(perform('Decrypt', { CiphertextBlob })).rejects.toMatchObject(
      refusal(
        'AccessDeniedException',
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      ),
    );
  });

  test('of a header that names another suite, or a material that the key does not have, reaches no key store', async () => {
    const { perform, store, caller, keyStore, KeyId, CiphertextBlob } = await withCiphertext();
    const key = store.key(caller, KeyId)!;
    const calls = keyStore.calls.length;
    const other = key.materials.map((material) => ({ ...material, suite: 'derived-sp800-108' as const }));
    await store.commit([{ kind: 'put-key', record: { ...key, version: 2, materials: other }, replacesVersion: 1 }]);
    await expect(perform('Decrypt', { CiphertextBlob })).rejects.toMatchObject(refusal('InvalidCiphertextException', undefined));
    await store.commit([{ kind: 'put-key', record: { ...key, version: 3, materials: [] }, replacesVersion: 2 }]);
    await expect(perform('Decrypt', { CiphertextBlob })).rejects.toMatchObject(refusal('InvalidCiphertextException', undefined));
    expect(keyStore.calls).toHaveLength(calls);
  });

  test('in a dry run opens the ciphertext and shows nothing; a wrong one is found', async () => {
    const { perform, KeyId, CiphertextBlob } = await withCiphertext();
    await expect(perform('Decrypt', { CiphertextBlob, DryRun: true })).rejects.toMatchObject(DRY_RUN);
    const wrong = { CiphertextBlob, EncryptionContext: { a: 'b' }, DryRun: true };
    await expect(perform('Decrypt', wrong)).rejects.toMatchObject({ code: 'InvalidCiphertextException' });
    const ignoring = { KeyId, DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] };
    await expect(perform('Decrypt', ignoring)).rejects.toMatchObject(DRY_RUN);
    await expect(perform('Decrypt', { ...ignoring, DryRun: false, CiphertextBlob })).resolves.toBeDefined();
  });

  test('for a Recipient is refused with the reason', async () => {
    const { perform, CiphertextBlob } = await withCiphertext();
    const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: Plaintext };
    await expect(perform('Decrypt', { CiphertextBlob, Recipient })).rejects.toMatchObject({
      code: 'UnsupportedOperationException',
      publicMessage: expect.stringContaining('Recipient'),
    });
  });
});

describe('Encrypt', () => {
  test('an encryption context beyond 8,192 bytes is not valid, in a dry run too, and reaches no key store', async () => {
    const { perform, KeyId, keyStore } = await withCiphertext();
    const calls = keyStore.calls.length;
    for (const DryRun of [true, false]) {
      const input = { KeyId, Plaintext, EncryptionContext: { a: 'x'.repeat(8192) }, DryRun };
      await expect(perform('Encrypt', input)).rejects.toMatchObject({ code: 'ValidationException' });
    }
    expect(keyStore.calls).toHaveLength(calls);
  });
});

describe('ReEncrypt', () => {
  test('checks both keys before it opens anything', async () => {
    const { perform, createKey, keyStore, KeyId, Arn, CiphertextBlob } = await withCiphertext();
    const destination = await createKey();
    await perform('DisableKey', { KeyId: destination.KeyId });
    const calls = keyStore.callsOf('decrypt').length;
    await expect(perform('ReEncrypt', { CiphertextBlob, DestinationKeyId: destination.KeyId })).rejects.toMatchObject(
      refusal('DisabledException', `${destination.Arn} is disabled.`),
    );
    await perform('EnableKey', { KeyId: destination.KeyId });
    await perform('DisableKey', { KeyId });
    await expect(perform('ReEncrypt', { CiphertextBlob, DestinationKeyId: destination.KeyId })).rejects.toMatchObject(
      refusal('DisabledException', `${Arn} is disabled.`),
    );
    expect(keyStore.callsOf('decrypt')).toHaveLength(calls);
  });

  test('onto the same key gives a new ciphertext of the same content', async () => {
    const { perform, KeyId, CiphertextBlob } = await withCiphertext();
    const again = await perform('ReEncrypt', { CiphertextBlob, SourceKeyId: KeyId, DestinationKeyId: KeyId });
    expect(base64(again.CiphertextBlob)).not.toBe(CiphertextBlob);
    const opened = await perform('Decrypt', { CiphertextBlob: base64(again.CiphertextBlob) });
    expect(base64(opened.Plaintext)).toBe(Plaintext);
  });

  test('with another source key than the ciphertext’s is the incorrect key', async () => {
    const { perform, createKey, KeyId, CiphertextBlob } = await withCiphertext();
    const other = await createKey();
    const input = { CiphertextBlob, SourceKeyId: other.KeyId, DestinationKeyId: KeyId };
    await expect(perform('ReEncrypt', input)).rejects.toMatchObject({ code: 'IncorrectKeyException' });
  });

  test('in a dry run opens, and seals nothing', async () => {
    const { perform, keyStore, KeyId, CiphertextBlob } = await withCiphertext();
    const before = keyStore.callsOf('encrypt').length;
    await expect(perform('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId, DryRun: true })).rejects.toMatchObject(DRY_RUN);
    const modifiers = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] };
    await expect(perform('ReEncrypt', { SourceKeyId: KeyId, DestinationKeyId: KeyId, ...modifiers })).rejects.toMatchObject(DRY_RUN);
    await expect(perform('ReEncrypt', { DestinationKeyId: KeyId, ...modifiers })).rejects.toMatchObject({ code: 'ValidationException' });
    expect(keyStore.callsOf('encrypt')).toHaveLength(before);
  });

  test('does not keep the plaintext', async () => {
    const { perform, keyStore, KeyId, CiphertextBlob } = await withCiphertext();
    const decrypt = keyStore.decrypt.bind(keyStore);
    let plaintext: Uint8Array | undefined;
    keyStore.decrypt = async (...call) => {
      plaintext = await decrypt(...call);
      return plaintext;
    };
    await perform('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId });
    expect(plaintext).toEqual(new Uint8Array(6));
  });
});

describe('ReEncrypt to a key that is disabled while the ciphertext is opened', () => {
  test('is refused, and the destination is not opened again', async () => {
    const { perform, createKey, keyStore, CiphertextBlob } = await withCiphertext();
    const destination = await createKey();
    const encryptions = keyStore.callsOf('encrypt').length;
    const decrypt = keyStore.decrypt.bind(keyStore);
    keyStore.decrypt = async (...parts) => {
      await perform('DisableKey', { KeyId: destination.KeyId });
      return decrypt(...parts);
    };
    await expect(perform('ReEncrypt', { CiphertextBlob, DestinationKeyId: destination.KeyId })).rejects.toMatchObject(
      refusal('DisabledException', `${destination.Arn} is disabled.`),
    );
    expect(keyStore.callsOf('encrypt')).toHaveLength(encryptions);
  });
});

describe('GenerateDataKey', () => {
  test.each([{}, { KeySpec: 'AES_256', NumberOfBytes: 32 }])('with %j beside the key is not valid', async (input) => {
    const { perform, KeyId } = await withCiphertext();
    for (const name of ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']) {
      await expect(perform(name, { KeyId, ...input })).rejects.toMatchObject(
        refusal('ValidationException', 'Please specify either number of bytes or key spec.'),
      );
    }
  });

  test.each([
    [{ KeySpec: 'AES_128' }, 16],
    [{ KeySpec: 'AES_256' }, 32],
    [{ NumberOfBytes: 1 }, 1],
    [{ NumberOfBytes: 1024 }, 1024],
  ])('%j gives %d bytes', async (input, length) => {
    const { perform, KeyId } = await withCiphertext();
    expect((await perform('GenerateDataKey', { KeyId, ...input })).Plaintext).toHaveLength(length);
  });

  test('wipes the plaintext when sealing fails, and when nobody is to see it', async () => {
    const { perform, keyStore, KeyId } = await withCiphertext();
    const drawn: Uint8Array[] = [];
    const random = keyStore.random.bind(keyStore);
    keyStore.random = async (length) => {
      drawn.push(await random(length));
      return drawn.at(-1) as Uint8Array;
    };
    keyStore.failNext('encrypt', new Error('boom'));
    await expect(perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).rejects.toMatchObject({ code: 'KMSInternalException' });
    await perform('GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' });
    expect(drawn).toEqual([new Uint8Array(32), new Uint8Array(32)]);
  });

  test('does not open a key again that was disabled while random bytes were drawn', async () => {
    const { perform, keyStore, KeyId, Arn } = await withCiphertext();
    const encryptions = keyStore.callsOf('encrypt').length;
    const random = keyStore.random.bind(keyStore);
    keyStore.random = async (length) => {
      await perform('DisableKey', { KeyId });
      return random(length);
    };
    await expect(perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).rejects.toMatchObject(
      refusal('DisabledException', `${Arn} is disabled.`),
    );
    expect(keyStore.callsOf('encrypt')).toHaveLength(encryptions);
  });

  test('seals no key pair under a key that was disabled while the pair was made', async () => {
    const { perform, keyStore, KeyId, Arn } = await withCiphertext();
    const encryptions = keyStore.callsOf('encrypt').length;
    const pair = perform('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'RSA_2048' });
    await perform('DisableKey', { KeyId });
    await expect(pair).rejects.toMatchObject(refusal('DisabledException', `${Arn} is disabled.`));
    expect(keyStore.callsOf('encrypt')).toHaveLength(encryptions);
  });

  test('under a key that is not symmetric is an invalid key usage, and draws no random bytes', async () => {
    const { perform, store, keyStore } = openFixture();
    await store.commit([{ kind: 'put-key', record: keyOf(1, { keySpec: 'RSA_2048' }), replacesVersion: 0 }]);
    await expect(perform('GenerateDataKey', { KeyId: keyIdOf(1), KeySpec: 'AES_256' })).rejects.toMatchObject({
      code: 'InvalidKeyUsageException',
    });
    expect(keyStore.calls).toEqual([]);
  });
});

describe('GenerateRandom', () => {
  test.each([
    [{}, 'ValidationException', 'NumberOfBytes is required.'],
    [{ NumberOfBytes: 1, CustomKeyStoreId: 'cks-1' }, 'CustomKeyStoreNotFoundException', 'Custom key store cks-1 does not exist.'],
  ])('%j', async (input, code, text) => {
    await expect(openFixture().perform('GenerateRandom', input)).rejects.toMatchObject(refusal(code, text));
  });
});
