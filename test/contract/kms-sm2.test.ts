/** SM2 through the service in a China Region, over the software key store; OpenSSL is who it deals with. */
import { createECDH, createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { agreeSm2, isSm2PrivateKey, sm2KeyPair, sm2PublicPoint } from '../../src/keys/sm2-curve.ts';
import { encryptSm2 } from '../../src/keys/sm2-encryption.ts';
import { sm2Digest } from '../../src/keys/sm2-signature.ts';
import { base64, callerOf, refusal } from '../support/kms-fixture.ts';
import { openSoftwareKms } from '../support/software-kms.ts';

const china = { region: 'cn-north-1', partition: 'aws-cn' };
const service = await openSoftwareKms({}, ['cn-north-1', 'cn-northwest-1', 'eu-central-1', 'us-gov-west-1']);
afterAll(async () => service.remove());

// oxlint-disable-next-line typescript/no-explicit-any
async function perform(operation: string, input: object = {}, caller: object = china): Promise<any> {
  return service.kms.perform(operation, input, callerOf(caller));
}

async function createKey(KeyUsage: string, caller: object = china): Promise<string> {
  return (await perform('CreateKey', { KeySpec: 'SM2', KeyUsage }, caller)).KeyMetadata.KeyId as string;
}

async function publicKeyOf(KeyId: string): Promise<Uint8Array> {
  return (await perform('GetPublicKey', { KeyId })).PublicKey as Uint8Array;
}

describe('SM2 in China Regions', () => {
  test.each([
    ['ENCRYPT_DECRYPT', { EncryptionAlgorithms: ['SM2PKE'] }],
    ['SIGN_VERIFY', { SigningAlgorithms: ['SM2DSA'] }],
    ['KEY_AGREEMENT', { KeyAgreementAlgorithms: ['ECDH'] }],
  ])('is made for %s and described as such', async (KeyUsage, algorithms) => {
    for (const region of ['cn-north-1', 'cn-northwest-1']) {
      const { KeyMetadata } = await perform('CreateKey', { KeySpec: 'SM2', KeyUsage }, { ...china, region });
      expect(KeyMetadata).toMatchObject({ KeySpec: 'SM2', CustomerMasterKeySpec: 'SM2', KeyUsage, ...algorithms });
      expect(KeyMetadata.Arn).toContain(`arn:aws-cn:kms:${region}:`);
    }
  });

  test('signs a message under the default distinguishing id, or a digest', async () => {
    const KeyId = await createKey('SIGN_VERIFY');
    const message = randomBytes(4_096);
    const input = { KeyId, Message: base64(message), SigningAlgorithm: 'SM2DSA' };
    const { Signature } = await perform('Sign', input);
    await expect(perform('Verify', { ...input, Signature: base64(Signature) })).resolves.toMatchObject({ SignatureValid: true });
    const point = sm2PublicPoint(await publicKeyOf(KeyId)).toBytes(false);
    const digested = { ...input, Message: base64(sm2Digest(message, point)), MessageType: 'DIGEST' };
    await expect(perform('Verify', { ...digested, Signature: base64(Signature) })).resolves.toMatchObject({ SignatureValid: true });
    const ofDigest = await perform('Sign', digested);
    await expect(perform('Verify', { ...input, Signature: base64(ofDigest.Signature) })).resolves.toMatchObject({ SignatureValid: true });
    const plainDigest = base64(createHash('sm3').update(message).digest());
    await expect(perform('Verify', { ...digested, Message: plainDigest, Signature: base64(Signature) })).rejects.toMatchObject({
      code: 'KMSInvalidSignatureException',
    });
    await expect(perform('Sign', { ...digested, Message: base64(message) })).rejects.toMatchObject(
      refusal('ValidationException', 'Digest is invalid length for algorithm SM2DSA.'),
    );
  });

  test('encrypts up to 1,024 bytes, and opens what is encrypted with its public key elsewhere', async () => {
    const KeyId = await createKey('ENCRYPT_DECRYPT');
    const choice = { KeyId, EncryptionAlgorithm: 'SM2PKE' };
    for (const plaintext of [randomBytes(1), randomBytes(1_024)]) {
      const { CiphertextBlob } = await perform('Encrypt', { ...choice, Plaintext: base64(plaintext) });
      const { Plaintext } = await perform('Decrypt', { ...choice, CiphertextBlob: base64(CiphertextBlob) });
      expect(Buffer.from(Plaintext)).toEqual(plaintext);
    }
    const elsewhere = encryptSm2(await publicKeyOf(KeyId), randomBytes(10));
    expect((await perform('Decrypt', { ...choice, CiphertextBlob: base64(elsewhere) })).Plaintext).toHaveLength(10);
    elsewhere[elsewhere.length - 1] = (elsewhere[elsewhere.length - 1] ?? 0) ^ 1;
    await expect(perform('Decrypt', { ...choice, CiphertextBlob: base64(elsewhere) })).rejects.toMatchObject({
      code: 'InvalidCiphertextException',
    });
    await expect(perform('Encrypt', { ...choice, Plaintext: base64(randomBytes(1_025)) })).rejects.toMatchObject(
      refusal('ValidationException', 'Algorithm SM2PKE and key spec SM2 cannot encrypt data larger than 1024 bytes.'),
    );
  });

  test('agrees on a secret with a pair of OpenSSL, and with no point off the curve', async () => {
    const KeyId = await createKey('KEY_AGREEMENT');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'SM2' });
    const head = publicKey.export({ type: 'spki', format: 'der' }).subarray(0, -65);
    const peer = createECDH('SM2');
    const peerKey = Buffer.concat([head, peer.generateKeys()]);
    const input = { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: base64(peerKey) };
    const { SharedSecret } = await perform('DeriveSharedSecret', input);
    expect(Buffer.from(SharedSecret)).toEqual(peer.computeSecret(sm2PublicPoint(await publicKeyOf(KeyId)).toBytes(false)));
    peerKey[90] = (peerKey[90] ?? 0) ^ 1;
    await expect(perform('DeriveSharedSecret', { ...input, PublicKey: base64(peerKey) })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });

  test('is the spec of data key pairs', async () => {
    const { KeyId } = (await perform('CreateKey')).KeyMetadata;
    const made = await perform('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'SM2' });
    expect(isSm2PrivateKey(made.PrivateKeyPlaintext)).toBe(true);
    const peer = createECDH('SM2');
    const secret = agreeSm2(sm2KeyPair(made.PrivateKeyPlaintext), sm2PublicPoint(spkiOf(peer.generateKeys(), made.PublicKey)));
    expect(Buffer.from(secret)).toEqual(peer.computeSecret(made.PublicKey.subarray(-65)));
    await expect(perform('GenerateDataKeyPairWithoutPlaintext', { KeyId, KeyPairSpec: 'SM2' })).resolves.toMatchObject({
      KeyPairSpec: 'SM2',
    });
  });
});

describe('SM2 in other Regions', () => {
  const refused = refusal('UnsupportedOperationException', 'Key spec SM2 is available in China Regions only.');

  test.each([
    ['eu-central-1', 'aws'],
    ['us-gov-west-1', 'aws-us-gov'],
  ])('is refused: %s', async (region, partition) => {
    const caller = { region, partition };
    await expect(createKey('SIGN_VERIFY', caller)).rejects.toMatchObject(refused);
    const { KeyId } = (await perform('CreateKey', {}, caller)).KeyMetadata;
    for (const operation of ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']) {
      await expect(perform(operation, { KeyId, KeyPairSpec: 'SM2' }, caller)).rejects.toMatchObject(refused);
    }
  });
});

/** `point` in the encoding of another key of the curve. */
function spkiOf(point: Uint8Array, like: Uint8Array): Uint8Array {
  return Buffer.concat([like.subarray(0, -65), point]);
}
