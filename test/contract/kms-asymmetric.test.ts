/** What a client sees of keys that are not symmetric, over SQLite and the software key store: uses, refusals, dry runs. */
import {
  constants,
  createPublicKey,
  createPrivateKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
} from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyAlgorithms, keySpecs } from '../../src/keys/algorithms.ts';
import type { KeyUsage } from '../../src/keys/key-record.ts';
import { checkedKms } from '../support/checked-kms.ts';
import { base64, callerOf, refusal } from '../support/kms-fixture.ts';
import { openSoftwareKms } from '../support/software-kms.ts';

let place: Awaited<ReturnType<typeof openSoftwareKms>>;
beforeAll(async () => {
  place = await openSoftwareKms();
});
afterAll(async () => place.remove());

// Replies are untyped on purpose: each test states what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
const perform = async (operation: string, input: object = {}): Promise<any> => checkedKms(place.kms).perform(operation, input, callerOf());

interface Key {
  readonly KeyId: string;
  readonly Arn: string;
}
async function createKey(KeySpec: string, KeyUsage: KeyUsage): Promise<Key> {
  return (await perform('CreateKey', { KeySpec, KeyUsage })).KeyMetadata;
}

const Message = base64('a message');
const dryRun = refusal('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');
const wrongUsage = ({ Arn }: Key, usage: string, operation: string): object =>
  refusal('InvalidKeyUsageException', `${Arn} key usage is ${usage} which is not valid for ${operation}.`);

describe('every key spec', () => {
  const rows = [...keySpecs].flatMap(([spec, { algorithms }]) =>
    (Object.keys(algorithms) as KeyUsage[]).map((usage) => [spec, usage] as const),
  );

  test.each(rows.filter(([spec]) => spec !== 'SM2' && !spec.endsWith('4096')))(
    '%s for %s is made, described and shown',
    async (spec, usage) => {
      const created = (await perform('CreateKey', { KeySpec: spec, KeyUsage: usage })).KeyMetadata;
      expect(created).toMatchObject({ KeySpec: spec, CustomerMasterKeySpec: spec, KeyUsage: usage, ProtectionLevel: 'SOFTWARE' });
      expect((await perform('DescribeKey', { KeyId: created.KeyId })).KeyMetadata).toEqual(created);
      expect('CurrentKeyMaterialId' in created).toBe(spec === 'SYMMETRIC_DEFAULT');
      const shown = perform('GetPublicKey', { KeyId: created.KeyId });
      if (keySpecs.get(spec)?.family !== 'asymmetric') {
        return expect(shown).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
      }
      const { PublicKey, ...members } = await shown;
      expect(PublicKey[0]).toBe(0x30);
      expect(members).toMatchObject({ KeyId: created.Arn, KeySpec: spec, KeyUsage: usage });
      return expect(Object.values(members)).toContainEqual(keyAlgorithms(spec, usage));
    },
  );

  test('SM2 is refused, with the reason', async () => {
    await expect(createKey('SM2', 'SIGN_VERIFY')).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
  });
});

describe('Sign and Verify', () => {
  test('agree, and OpenSSL agrees with them', async () => {
    const { KeyId, Arn } = await createKey('ECC_NIST_P384', 'SIGN_VERIFY');
    const input = { KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_384' };
    const signed = await perform('Sign', input);
    expect(signed).toEqual({ KeyId: Arn, Signature: expect.any(Uint8Array), SigningAlgorithm: 'ECDSA_SHA_384' });
    const { PublicKey } = await perform('GetPublicKey', { KeyId });
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    expect(verify('sha384', Buffer.from('a message'), key, signed.Signature)).toBe(true);
    const verified = await perform('Verify', { ...input, Signature: base64(signed.Signature) });
    expect(verified).toEqual({ KeyId: Arn, SignatureValid: true, SigningAlgorithm: 'ECDSA_SHA_384' });
  });

  test('a wrong signature is an exception without a message, in a dry run too', async () => {
    const { KeyId } = await createKey('ECC_NIST_P256', 'SIGN_VERIFY');
    const input = { KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' };
    const invalid = refusal('KMSInvalidSignatureException', undefined);
    for (const Signature of [base64('x'), base64(randomBytes(70))]) {
      await expect(perform('Verify', { ...input, Signature })).rejects.toMatchObject(invalid);
      await expect(perform('Verify', { ...input, Signature, DryRun: true })).rejects.toMatchObject(invalid);
    }
    const { Signature } = await perform('Sign', input);
    await expect(perform('Verify', { ...input, Signature: base64(Signature), DryRun: true })).rejects.toMatchObject(dryRun);
    await expect(perform('Sign', { ...input, DryRun: true })).rejects.toMatchObject(dryRun);
  });

  test.each([
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 'DIGEST', 31, 'Digest is invalid length for algorithm RSASSA_PSS_SHA_256.'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'DIGEST', 48, 'Digest is invalid length for algorithm ECDSA_SHA_512.'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'DIGEST', 64, 'MessageType DIGEST is not compatible with algorithm ED25519_SHA_512.'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 'RAW', 64, 'MessageType RAW is not compatible with algorithm ED25519_PH_SHA_512.'],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'DIGEST', 64, 'MessageType DIGEST is not compatible with algorithm ML_DSA_SHAKE_256.'],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'EXTERNAL_MU', 63, 'Message representative mu is invalid length for algorithm ML_DSA_SHAKE_256.'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'EXTERNAL_MU', 64, 'MessageType EXTERNAL_MU is not compatible with algorithm ECDSA_SHA_256.'],
  ])('%s with %s refuses a %s message of %i bytes', async (spec, SigningAlgorithm, MessageType, length, text) => {
    const { KeyId } = await createKey(spec, 'SIGN_VERIFY');
    const input = { KeyId, Message: base64(randomBytes(length)), MessageType, SigningAlgorithm };
    await expect(perform('Sign', input)).rejects.toMatchObject(refusal('ValidationException', text));
    await expect(perform('Verify', { ...input, Signature: Message })).rejects.toMatchObject(refusal('ValidationException', text));
  });

  test('an algorithm of another key spec and a key of another usage are invalid key usages', async () => {
    const key = await createKey('ECC_NIST_P256', 'SIGN_VERIFY');
    await expect(perform('Sign', { KeyId: key.KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_384' })).rejects.toMatchObject(
      refusal('InvalidKeyUsageException', 'Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.'),
    );
    const other = await createKey('ECC_NIST_P256', 'KEY_AGREEMENT');
    await expect(perform('Sign', { KeyId: other.KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' })).rejects.toMatchObject(
      wrongUsage(other, 'KEY_AGREEMENT', 'Sign'),
    );
  });

  test('a disabled key neither signs nor verifies, but shows its public key', async () => {
    const { KeyId, Arn } = await createKey('ECC_SECG_P256K1', 'SIGN_VERIFY');
    await perform('DisableKey', { KeyId });
    const input = { KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' };
    const disabled = refusal('DisabledException', `${Arn} is disabled.`);
    await expect(perform('Sign', input)).rejects.toMatchObject(disabled);
    await expect(perform('Verify', { ...input, Signature: Message })).rejects.toMatchObject(disabled);
    await expect(perform('GetPublicKey', { KeyId })).resolves.toMatchObject({ KeyId: Arn });
  });
});

describe('MACs', () => {
  test('are verified by the key that made them, and by no other', async () => {
    const [key, other] = [await createKey('HMAC_384', 'GENERATE_VERIFY_MAC'), await createKey('HMAC_384', 'GENERATE_VERIFY_MAC')];
    const input = { KeyId: key.KeyId, Message, MacAlgorithm: 'HMAC_SHA_384' };
    const made = await perform('GenerateMac', input);
    expect(made).toEqual({ KeyId: key.Arn, MacAlgorithm: 'HMAC_SHA_384', Mac: expect.any(Uint8Array) });
    const Mac = base64(made.Mac);
    expect(await perform('VerifyMac', { ...input, Mac })).toEqual({ KeyId: key.Arn, MacAlgorithm: 'HMAC_SHA_384', MacValid: true });
    const invalid = refusal('KMSInvalidMacException', undefined);
    await expect(perform('VerifyMac', { ...input, KeyId: other.KeyId, Mac })).rejects.toMatchObject(invalid);
    await expect(perform('VerifyMac', { ...input, Mac: base64(made.Mac.subarray(0, 47)) })).rejects.toMatchObject(invalid);
    await expect(perform('VerifyMac', { ...input, Mac, DryRun: true })).rejects.toMatchObject(dryRun);
    await expect(perform('GenerateMac', { ...input, MacAlgorithm: 'HMAC_SHA_256' })).rejects.toMatchObject(
      refusal('InvalidKeyUsageException', 'Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_384.'),
    );
    const symmetric = (await perform('CreateKey')).KeyMetadata;
    await expect(perform('GenerateMac', { ...input, KeyId: symmetric.KeyId })).rejects.toMatchObject(
      wrongUsage(symmetric, 'ENCRYPT_DECRYPT', 'GenerateMac'),
    );
  });
});

describe('RSA encryption', () => {
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256';

  test('opens what it sealed and what OpenSSL sealed, without naming a material', async () => {
    const { KeyId, Arn } = await createKey('RSA_2048', 'ENCRYPT_DECRYPT');
    const Plaintext = base64(randomBytes(190));
    const sealed = await perform('Encrypt', { KeyId, Plaintext, EncryptionAlgorithm });
    expect(sealed).toEqual({ KeyId: Arn, CiphertextBlob: expect.any(Uint8Array), EncryptionAlgorithm });
    const opened = await perform('Decrypt', { KeyId, CiphertextBlob: base64(sealed.CiphertextBlob), EncryptionAlgorithm });
    expect(opened).toEqual({ KeyId: Arn, Plaintext: expect.any(Uint8Array), EncryptionAlgorithm });
    expect(base64(opened.Plaintext)).toBe(Plaintext);
    const { PublicKey } = await perform('GetPublicKey', { KeyId });
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    const outside = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, Buffer.from('outside'));
    const input = { KeyId, CiphertextBlob: base64(outside) };
    const answer = await perform('Decrypt', { ...input, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' });
    expect(Buffer.from(answer.Plaintext).toString()).toBe('outside');
    await expect(perform('Decrypt', { ...input, EncryptionAlgorithm })).rejects.toMatchObject(
      refusal('InvalidCiphertextException', undefined),
    );
  });

  test('refuses what is too long, contexts, and ciphertexts without a key', async () => {
    const { KeyId } = await createKey('RSA_2048', 'ENCRYPT_DECRYPT');
    const long = { KeyId, Plaintext: base64(randomBytes(191)), EncryptionAlgorithm };
    const text = 'Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.';
    for (const DryRun of [false, true]) {
      await expect(perform('Encrypt', { ...long, DryRun })).rejects.toMatchObject(refusal('ValidationException', text));
    }
    await expect(
      perform('Encrypt', { KeyId, Plaintext: Message, EncryptionAlgorithm, EncryptionContext: { a: 'b' } }),
    ).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(perform('Encrypt', { KeyId, Plaintext: Message })).rejects.toMatchObject({ code: 'InvalidKeyUsageException' });
    await expect(perform('Decrypt', { CiphertextBlob: Message, EncryptionAlgorithm })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    const signing = await createKey('RSA_2048', 'SIGN_VERIFY');
    await expect(perform('Decrypt', { KeyId: signing.KeyId, CiphertextBlob: Message, EncryptionAlgorithm })).rejects.toMatchObject({
      code: 'IncorrectKeyException',
    });
  });

  test('ReEncrypt goes from RSA to symmetric and back, within the limits of RSA', async () => {
    const rsa = await createKey('RSA_2048', 'ENCRYPT_DECRYPT');
    const symmetric = (await perform('CreateKey')).KeyMetadata;
    const { CiphertextBlob } = await perform('Encrypt', { KeyId: rsa.KeyId, Plaintext: Message, EncryptionAlgorithm });
    const moved = await perform('ReEncrypt', {
      CiphertextBlob: base64(CiphertextBlob),
      SourceKeyId: rsa.KeyId,
      SourceEncryptionAlgorithm: EncryptionAlgorithm,
      DestinationKeyId: symmetric.KeyId,
    });
    expect(moved).toMatchObject({ SourceKeyId: rsa.Arn, KeyId: symmetric.Arn, DestinationKeyMaterialId: expect.any(String) });
    expect(moved).not.toHaveProperty('SourceKeyMaterialId');
    const back = { DestinationKeyId: rsa.KeyId, DestinationEncryptionAlgorithm: EncryptionAlgorithm };
    const again = await perform('ReEncrypt', { CiphertextBlob: base64(moved.CiphertextBlob), ...back });
    const opened = await perform('Decrypt', { KeyId: rsa.KeyId, CiphertextBlob: base64(again.CiphertextBlob), EncryptionAlgorithm });
    expect(base64(opened.Plaintext)).toBe(Message);
    const long = await perform('Encrypt', { KeyId: symmetric.KeyId, Plaintext: base64(randomBytes(191)) });
    for (const DryRun of [false, true]) {
      await expect(perform('ReEncrypt', { CiphertextBlob: base64(long.CiphertextBlob), ...back, DryRun })).rejects.toMatchObject({
        code: 'ValidationException',
      });
    }
  });
});

describe('shared secrets', () => {
  test('ECDH gives what the peer computes', async () => {
    const { KeyId, Arn } = await createKey('ECC_NIST_P521', 'KEY_AGREEMENT');
    const peer = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    const PublicKey = base64(peer.publicKey.export({ format: 'der', type: 'spki' }));
    const input = { KeyId, PublicKey, KeyAgreementAlgorithm: 'ECDH' };
    const derived = await perform('DeriveSharedSecret', input);
    expect(derived).toEqual({ KeyId: Arn, SharedSecret: expect.any(Uint8Array), KeyAgreementAlgorithm: 'ECDH', KeyOrigin: 'AWS_KMS' });
    const shown = await perform('GetPublicKey', { KeyId });
    const publicKey = createPublicKey({ key: Buffer.from(shown.PublicKey), format: 'der', type: 'spki' });
    expect(Buffer.from(derived.SharedSecret)).toEqual(diffieHellman({ privateKey: peer.privateKey, publicKey }));
    await expect(perform('DeriveSharedSecret', { ...input, DryRun: true })).rejects.toMatchObject(dryRun);
  });

  test('a peer key of another curve, off the curve or of no form is refused without a message', async () => {
    const { KeyId } = await createKey('ECC_NIST_P256', 'KEY_AGREEMENT');
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'der', type: 'spki' });
    const offCurve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' });
    offCurve[offCurve.length - 1] = (offCurve[offCurve.length - 1] ?? 0) ^ 1;
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' });
    for (const wrong of [p384, offCurve, x25519, randomBytes(91)]) {
      const input = { KeyId, PublicKey: base64(wrong), KeyAgreementAlgorithm: 'ECDH' };
      await expect(perform('DeriveSharedSecret', input)).rejects.toMatchObject(refusal('ValidationException', undefined));
    }
  });

  test.each([
    ['ML_KEM_512', 768],
    ['ML_KEM_768', 1088],
    ['ML_KEM_1024', 1568],
  ])('%s decapsulates what it encapsulated, and refuses other lengths only', async (spec, ciphertextBytes) => {
    const { KeyId, Arn } = await createKey(spec, 'ENCAPSULATE_DECAPSULATE');
    const EncapsulationAlgorithm = 'ML_KEM';
    const made = await perform('Encapsulate', { KeyId, EncapsulationAlgorithm });
    expect([made.SharedSecret.length, made.SharedSecretCiphertextBlob.length]).toEqual([32, ciphertextBytes]);
    const input = { KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob: base64(made.SharedSecretCiphertextBlob) };
    expect(await perform('Decapsulate', input)).toEqual({ KeyId: Arn, SharedSecret: made.SharedSecret, EncapsulationAlgorithm });
    const other = await perform('Decapsulate', { ...input, SharedSecretCiphertextBlob: base64(randomBytes(ciphertextBytes)) });
    expect(other.SharedSecret).toHaveLength(32);
    expect(other.SharedSecret).not.toEqual(made.SharedSecret);
    await expect(
      perform('Decapsulate', { ...input, SharedSecretCiphertextBlob: base64(randomBytes(ciphertextBytes - 1)) }),
    ).rejects.toMatchObject(refusal('InvalidCiphertextException', undefined));
    await expect(perform('Encapsulate', { KeyId, EncapsulationAlgorithm, DryRun: true })).rejects.toMatchObject(dryRun);
  });
});

describe('data key pairs', () => {
  const EncryptionContext = { file: '7' };

  test.each(['RSA_2048', 'ECC_NIST_P256', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'])(
    '%s: the private key fits the public one',
    async (spec) => {
      const { KeyId, Arn } = (await perform('CreateKey')).KeyMetadata;
      const pair = await perform('GenerateDataKeyPair', { KeyId, KeyPairSpec: spec, EncryptionContext });
      expect(pair).toMatchObject({ KeyId: Arn, KeyPairSpec: spec, KeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) });
      const privateKey = createPrivateKey({ key: Buffer.from(pair.PrivateKeyPlaintext), format: 'der', type: 'pkcs8' });
      expect(createPublicKey(privateKey).export({ format: 'der', type: 'spki' })).toEqual(Buffer.from(pair.PublicKey));
      const opened = await perform('Decrypt', { CiphertextBlob: base64(pair.PrivateKeyCiphertextBlob), EncryptionContext });
      expect(Buffer.from(opened.Plaintext)).toEqual(Buffer.from(pair.PrivateKeyPlaintext));
    },
  );

  test('of ML-KEM hold the seed, so that all three have one length; without plaintext they are sealed only', async () => {
    const { KeyId } = (await perform('CreateKey')).KeyMetadata;
    const lengths = [];
    for (const KeyPairSpec of ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024']) {
      const pair = await perform('GenerateDataKeyPairWithoutPlaintext', { KeyId, KeyPairSpec });
      expect(pair).not.toHaveProperty('PrivateKeyPlaintext');
      lengths.push((await perform('Decrypt', { CiphertextBlob: base64(pair.PrivateKeyCiphertextBlob) })).Plaintext.length);
    }
    expect(lengths).toEqual([86, 86, 86]);
  });

  test('are refused under keys that are not symmetric, and for SM2', async () => {
    const { KeyId } = await createKey('RSA_2048', 'ENCRYPT_DECRYPT');
    await expect(perform('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'RSA_2048' })).rejects.toMatchObject({
      code: 'InvalidKeyUsageException',
    });
    const symmetric = (await perform('CreateKey')).KeyMetadata;
    await expect(perform('GenerateDataKeyPair', { KeyId: symmetric.KeyId, KeyPairSpec: 'SM2' })).rejects.toMatchObject({
      code: 'UnsupportedOperationException',
    });
    await expect(perform('GenerateDataKeyPair', { KeyId: symmetric.KeyId, KeyPairSpec: 'RSA_2048', DryRun: true })).rejects.toMatchObject(
      dryRun,
    );
  });
});

describe('key policies', () => {
  test('are shown as created, replaced, and held to their form', async () => {
    const { KeyId } = (await perform('CreateKey')).KeyMetadata;
    expect(await perform('ListKeyPolicies', { KeyId })).toEqual({ PolicyNames: ['default'], Truncated: false });
    const first = await perform('GetKeyPolicy', { KeyId });
    expect(first).toEqual({ Policy: expect.stringContaining('Enable IAM User Permissions'), PolicyName: 'default' });
    const Policy = first.Policy.replace('key-default-1', 'key-2');
    expect(await perform('PutKeyPolicy', { KeyId, Policy, PolicyName: 'default' })).toBeUndefined();
    expect((await perform('GetKeyPolicy', { KeyId, PolicyName: 'default' })).Policy).toBe(Policy);
    await expect(perform('PutKeyPolicy', { KeyId, Policy: '{' })).rejects.toMatchObject({ code: 'MalformedPolicyDocumentException' });
    await expect(perform('GetKeyPolicy', { KeyId, PolicyName: 'other' })).rejects.toMatchObject(
      refusal('NotFoundException', 'No such policy exists'),
    );
    expect((await perform('GetKeyPolicy', { KeyId })).Policy).toBe(Policy);
  });
});
