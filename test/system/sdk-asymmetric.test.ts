/**
 * The newest AWS SDK for JavaScript with keys that are not symmetric, over the software key store and over SoftHSM. OpenSSL, through
 * node:crypto, judges what comes back; the SDK judges the wire format. What a token cannot serve must be refused, with the reason.
 */
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  CreateKeyCommand,
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateMacCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListKeyPoliciesCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import type { EncryptionAlgorithmSpec, KeySpec, KeyUsageType, SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type DaemonStore, type RunningDaemon } from '../support/daemon.ts';

const postQuantum: readonly KeySpec[] = ['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87', 'ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'];
const ed25519: KeySpec = 'ECC_NIST_EDWARDS25519';

interface Served {
  readonly store: DaemonStore;
  /** Specs of which no key can be made. */
  readonly refusedSpecs: readonly KeySpec[];
  /** Algorithms that keys of served specs do not do. */
  readonly refusedAlgorithms: readonly string[];
}

const stores: readonly Served[] = [
  { store: 'software', refusedSpecs: [], refusedAlgorithms: [] },
  { store: 'softhsm', refusedSpecs: postQuantum, refusedAlgorithms: ['ED25519_PH_SHA_512'] },
  { store: 'softhsm-wrapped', refusedSpecs: [...postQuantum, ed25519], refusedAlgorithms: ['ED25519_PH_SHA_512'] },
];
const refusal = { name: 'UnsupportedOperationException', message: expect.stringMatching(/token/) as string };

describe.each(stores)('the AWS SDK with asymmetric and HMAC keys ($store)', ({ store, refusedSpecs, refusedAlgorithms }) => {
  /** Specs that were refused, to be compared with those that must be. */
  const refused = new Set<string>();
  let daemon: RunningDaemon;
  let client: KMSClient;

  const connect = (): KMSClient =>
    new KMSClient({ endpoint: daemon.endpoint, region: 'eu-central-1', credentials: daemon.credentials, maxAttempts: 1 });

  beforeAll(async () => {
    daemon = await startDaemon({ store, auth: 'sigv4' });
    client = connect();
  });
  afterAll(async () => {
    expect([...refused].sort()).toEqual([...refusedSpecs].sort());
    client.destroy();
    await daemon.stop();
  });

  async function createKey(spec: KeySpec, usage: KeyUsageType): Promise<string> {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec: spec, KeyUsage: usage }));
    expect(KeyMetadata).toMatchObject({ KeySpec: spec, KeyUsage: usage, KeyState: 'Enabled', Origin: 'AWS_KMS' });
    return KeyMetadata?.KeyId ?? '';
  }

  /** For a spec that the store cannot serve: true, after CreateKey was refused with the reason. */
  async function isRefused(spec: KeySpec, usage: KeyUsageType): Promise<boolean> {
    if (!refusedSpecs.includes(spec)) return false;
    await expect(client.send(new CreateKeyCommand({ KeySpec: spec, KeyUsage: usage }))).rejects.toMatchObject(refusal);
    refused.add(spec);
    return true;
  }

  async function publicKeyOf(KeyId: string): Promise<KeyObject> {
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
    return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
  }

  const signatures: readonly (readonly [KeySpec, SigningAlgorithmSpec, string | null])[] = [
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_384', 'sha384'],
    ['RSA_3072', 'RSASSA_PSS_SHA_256', 'sha256'],
    ['RSA_4096', 'RSASSA_PSS_SHA_512', 'sha512'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'sha512'],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 'sha256'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', null],
  ];

  it.each(signatures)(
    '%s with %s: OpenSSL and Verify accept what Sign made of the message and of its digest',
    async (spec, algorithm, digest) => {
      if (await isRefused(spec, 'SIGN_VERIFY')) return;
      const KeyId = await createKey(spec, 'SIGN_VERIFY');
      const publicKey = await publicKeyOf(KeyId);
      const message = randomBytes(4_096);
      const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      const key = algorithm.includes('PSS') ? { key: publicKey, ...pss } : publicKey;
      const raw = { KeyId, Message: message, SigningAlgorithm: algorithm };
      const ofDigest =
        digest === null ? raw : { ...raw, Message: createHash(digest).update(message).digest(), MessageType: 'DIGEST' as const };
      for (const [signInput, verifyInput] of [
        [raw, ofDigest],
        [ofDigest, raw],
      ] as const) {
        const { Signature } = await client.send(new SignCommand(signInput));
        expect(verify(digest, message, key, Signature ?? new Uint8Array())).toBe(true);
        expect((await client.send(new VerifyCommand({ ...verifyInput, Signature }))).SignatureValid).toBe(true);
        await expect(client.send(new VerifyCommand({ ...raw, Message: randomBytes(10), Signature }))).rejects.toMatchObject({
          name: 'KMSInvalidSignatureException',
          $metadata: { httpStatusCode: 400 },
        });
      }
    },
  );

  it.each([
    ['ML_DSA_44', 2_420],
    ['ML_DSA_65', 3_309],
    ['ML_DSA_87', 4_627],
  ] as const)('%s signs messages and external representatives, with %i bytes', async (spec, signatureBytes) => {
    if (await isRefused(spec, 'SIGN_VERIFY')) return;
    const KeyId = await createKey(spec, 'SIGN_VERIFY');
    for (const [MessageType, lengthBytes] of [['RAW', 4_096] as const, ['EXTERNAL_MU', 64] as const]) {
      const input = { KeyId, Message: randomBytes(lengthBytes), MessageType, SigningAlgorithm: 'ML_DSA_SHAKE_256' as const };
      const { Signature } = await client.send(new SignCommand(input));
      expect(Signature?.length).toBe(signatureBytes);
      expect((await client.send(new VerifyCommand({ ...input, Signature }))).SignatureValid).toBe(true);
    }
  });

  it('Ed25519ph signs digests of 64 bytes, which Ed25519 does not accept', async () => {
    if (await isRefused(ed25519, 'SIGN_VERIFY')) return;
    const KeyId = await createKey(ed25519, 'SIGN_VERIFY');
    const Message = createHash('sha512').update('message').digest();
    const input = { KeyId, Message, MessageType: 'DIGEST' as const, SigningAlgorithm: 'ED25519_PH_SHA_512' as const };
    if (refusedAlgorithms.includes(input.SigningAlgorithm)) {
      await expect(client.send(new SignCommand(input))).rejects.toMatchObject(refusal);
      return;
    }
    const { Signature } = await client.send(new SignCommand(input));
    expect((await client.send(new VerifyCommand({ ...input, Signature }))).SignatureValid).toBe(true);
    await expect(client.send(new VerifyCommand({ KeyId, Message, SigningAlgorithm: 'ED25519_SHA_512', Signature }))).rejects.toMatchObject({
      name: 'KMSInvalidSignatureException',
    });
  });

  it.each([
    ['HMAC_224', 'HMAC_SHA_224'],
    ['HMAC_256', 'HMAC_SHA_256'],
    ['HMAC_384', 'HMAC_SHA_384'],
    ['HMAC_512', 'HMAC_SHA_512'],
  ] as const)('%s makes MACs that only the same message verifies', async (spec, MacAlgorithm) => {
    const KeyId = await createKey(spec, 'GENERATE_VERIFY_MAC');
    const input = { KeyId, Message: randomBytes(100), MacAlgorithm };
    const { Mac } = await client.send(new GenerateMacCommand(input));
    expect((await client.send(new VerifyMacCommand({ ...input, Mac }))).MacValid).toBe(true);
    await expect(client.send(new VerifyMacCommand({ ...input, Message: randomBytes(100), Mac }))).rejects.toMatchObject({
      name: 'KMSInvalidMacException',
    });
  });

  it.each([
    ['RSAES_OAEP_SHA_1', 'sha1'],
    ['RSAES_OAEP_SHA_256', 'sha256'],
  ] as const)(
    '%s opens what it and OpenSSL sealed, and moves it to a symmetric key',
    async (algorithm: EncryptionAlgorithmSpec, oaepHash) => {
      const KeyId = await createKey('RSA_2048', 'ENCRYPT_DECRYPT');
      const plaintext = randomBytes(190);
      const input = { KeyId, EncryptionAlgorithm: algorithm };
      const { CiphertextBlob } = await client.send(new EncryptCommand({ ...input, Plaintext: plaintext }));
      const key = await publicKeyOf(KeyId);
      const outside = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
      for (const sealed of [CiphertextBlob, outside]) {
        const { Plaintext } = await client.send(new DecryptCommand({ ...input, CiphertextBlob: sealed }));
        expect(Buffer.from(Plaintext ?? [])).toEqual(plaintext);
      }
      const symmetric = (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId;
      const moved = await client.send(
        new ReEncryptCommand({
          CiphertextBlob: outside,
          SourceKeyId: KeyId,
          SourceEncryptionAlgorithm: algorithm,
          DestinationKeyId: symmetric,
        }),
      );
      const opened = await client.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }));
      expect(Buffer.from(opened.Plaintext ?? [])).toEqual(plaintext);
    },
  );

  it.each([
    ['ECC_NIST_P256', 'P-256'],
    ['ECC_NIST_P384', 'P-384'],
    ['ECC_NIST_P521', 'P-521'],
  ] as const)('%s agrees with a peer of OpenSSL', async (spec, namedCurve) => {
    const KeyId = await createKey(spec, 'KEY_AGREEMENT');
    const peer = generateKeyPairSync('ec', { namedCurve });
    const PublicKey = peer.publicKey.export({ format: 'der', type: 'spki' });
    const derived = await client.send(new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }));
    const expected = diffieHellman({ privateKey: peer.privateKey, publicKey: await publicKeyOf(KeyId) });
    expect(Buffer.from(derived.SharedSecret ?? [])).toEqual(expected);
    expect(derived.KeyOrigin).toBe('AWS_KMS');
  });

  it.each(['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'] as const)('%s gives both sides one secret', async (spec) => {
    if (await isRefused(spec, 'ENCAPSULATE_DECAPSULATE')) return;
    const KeyId = await createKey(spec, 'ENCAPSULATE_DECAPSULATE');
    const made = await client.send(new EncapsulateCommand({ KeyId, EncapsulationAlgorithm: 'ML_KEM' }));
    const { SharedSecretCiphertextBlob } = made;
    const got = await client.send(new DecapsulateCommand({ KeyId, EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob }));
    expect(got.SharedSecret?.length).toBe(32);
    expect(got.SharedSecret).toEqual(made.SharedSecret);
  });

  it.each(['RSA_4096', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'] as const)(
    'a data key pair of %s is one pair, in clear and from its sealed copy',
    async (spec) => {
      const KeyId = (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId;
      const input = { KeyId, KeyPairSpec: spec, EncryptionContext: { file: '7' } };
      const pair = await client.send(new GenerateDataKeyPairCommand(input));
      const blind = await client.send(new GenerateDataKeyPairWithoutPlaintextCommand(input));
      for (const { PrivateKeyCiphertextBlob: CiphertextBlob, PublicKey } of [pair, blind]) {
        const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: input.EncryptionContext }));
        const privateKey = createPrivateKey({ key: Buffer.from(Plaintext ?? []), format: 'der', type: 'pkcs8' });
        expect(createPublicKey(privateKey).export({ format: 'der', type: 'spki' })).toEqual(Buffer.from(PublicKey ?? []));
        if (CiphertextBlob === pair.PrivateKeyCiphertextBlob) expect(pair.PrivateKeyPlaintext).toEqual(Plaintext);
      }
      expect(blind).not.toHaveProperty('PrivateKeyPlaintext');
    },
  );

  it('keeps a key policy as it was put', async () => {
    const KeyId = (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId;
    expect((await client.send(new ListKeyPoliciesCommand({ KeyId }))).PolicyNames).toEqual(['default']);
    const { Policy = '' } = await client.send(new GetKeyPolicyCommand({ KeyId }));
    const changed = Policy.replace('key-default-1', 'mine');
    await client.send(new PutKeyPolicyCommand({ KeyId, Policy: changed }));
    expect((await client.send(new GetKeyPolicyCommand({ KeyId }))).Policy).toBe(changed);
  });

  it('keeps keys, public keys and MACs over a restart and over kill -9', async () => {
    const [signing, mac] = [await createKey('ECC_NIST_P256', 'SIGN_VERIFY'), await createKey('HMAC_256', 'GENERATE_VERIFY_MAC')];
    const Message = randomBytes(32);
    const before = await client.send(new SignCommand({ KeyId: signing, Message, SigningAlgorithm: 'ECDSA_SHA_256' }));
    const { Mac } = await client.send(new GenerateMacCommand({ KeyId: mac, Message, MacAlgorithm: 'HMAC_SHA_256' }));
    const described = await client.send(new DescribeKeyCommand({ KeyId: signing }));
    for (const end of ['stop', 'kill'] as const) {
      await daemon.restart(end);
      client.destroy();
      client = connect();
      const input = { KeyId: signing, Message, SigningAlgorithm: 'ECDSA_SHA_256' } as const;
      expect((await client.send(new VerifyCommand({ ...input, Signature: before.Signature }))).SignatureValid).toBe(true);
      const { Signature } = await client.send(new SignCommand(input));
      expect((await client.send(new VerifyCommand({ ...input, Signature }))).SignatureValid).toBe(true);
      expect((await client.send(new VerifyMacCommand({ KeyId: mac, Message, MacAlgorithm: 'HMAC_SHA_256', Mac }))).MacValid).toBe(true);
      expect((await client.send(new DescribeKeyCommand({ KeyId: signing }))).KeyMetadata).toEqual(described.KeyMetadata);
    }
  });
});
