/** Imports into keys that are not symmetric: which wrapping each kind takes, one material for ever, public keys that stay. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSoftwareKms } from '../../support/software-kms.ts';
import { customerMaterial, wrapMaterial } from '../../support/customer-material.ts';
import { forever } from '../../support/import-fixture.ts';
import { base64, callerOf, refusal } from '../../support/kms-fixture.ts';

const INCORRECT_MATERIAL =
  'The request was rejected because the key material in the request is expired, invalid, or does not meet expectations.';

const openssl = (words: string, input: Uint8Array): Buffer =>
  execFileSync('openssl', words.split(' '), { input, stdio: ['pipe', 'pipe', 'ignore'] });

describe('a key that is not symmetric', () => {
  let opened: Awaited<ReturnType<typeof openSoftwareKms>>;

  beforeAll(async () => {
    opened = await openSoftwareKms({}, ['eu-central-1', 'cn-north-1']);
  });
  afterAll(() => opened.remove());

  // Members of replies are untyped on purpose: the test states what it expects of them.
  // oxlint-disable-next-line typescript/no-explicit-any
  const perform = async (operation: string, input: object, caller = callerOf()): Promise<any> =>
    opened.kms.perform(operation, input, caller);

  async function createKey(KeySpec: string, KeyUsage: string): Promise<{ readonly KeyId: string; readonly Arn: string }> {
    return (await perform('CreateKey', { KeySpec, KeyUsage, Origin: 'EXTERNAL' })).KeyMetadata;
  }

  async function importMaterial(KeyId: string, WrappingAlgorithm: string, material: Uint8Array, terms: object = forever): Promise<unknown> {
    const input = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' };
    const { ImportToken, PublicKey } = await perform('GetParametersForImport', input);
    const EncryptedKeyMaterial = base64(wrapMaterial(PublicKey, WrappingAlgorithm, material));
    return perform('ImportKeyMaterial', { KeyId, ImportToken: base64(ImportToken), EncryptedKeyMaterial, ...terms });
  }

  const stateOf = async (KeyId: string): Promise<string> => (await perform('DescribeKey', { KeyId })).KeyMetadata.KeyState;

  test.each([
    ['RSA_2048', 'SIGN_VERIFY', 'RSAES_OAEP_SHA_256', 'RSA_4096', 'is not valid for key material of spec RSA_2048.'],
    ['HMAC_256', 'GENERATE_VERIFY_MAC', 'RSA_AES_KEY_WRAP_SHA_1', 'RSA_4096', 'is not valid for key material of spec HMAC_256.'],
    [
      'ECC_NIST_P521',
      'SIGN_VERIFY',
      'RSAES_OAEP_SHA_1',
      'RSA_2048',
      'with an RSA_2048 wrapping key is not valid for key material of spec ECC_NIST_P521.',
    ],
  ])('of spec %s for %s is not wrapped by %s under %s', async (spec, usage, WrappingAlgorithm, WrappingKeySpec, text) => {
    const { KeyId } = await createKey(spec, usage);
    await expect(perform('GetParametersForImport', { KeyId, WrappingAlgorithm, WrappingKeySpec })).rejects.toMatchObject(
      refusal('UnsupportedOperationException', `The wrapping algorithm ${WrappingAlgorithm} ${text}`),
    );
  });

  test.each([
    ['HMAC_384', 'GENERATE_VERIFY_MAC', 'RSAES_OAEP_SHA_1'],
    ['ECC_NIST_P256', 'KEY_AGREEMENT', 'RSAES_OAEP_SHA_256'],
    ['RSA_2048', 'ENCRYPT_DECRYPT', 'RSA_AES_KEY_WRAP_SHA_256'],
  ])('of spec %s has one material for ever', async (spec, usage, algorithm) => {
    const { KeyId, Arn } = await createKey(spec, usage);
    const { bytes } = customerMaterial(spec);
    expect(await importMaterial(KeyId, algorithm, bytes)).toEqual({ KeyId: Arn });
    expect(await stateOf(KeyId)).toBe('Enabled');
    const other = customerMaterial(spec).bytes;
    const refused = refusal('IncorrectKeyMaterialException', INCORRECT_MATERIAL);
    await expect(importMaterial(KeyId, algorithm, other)).rejects.toMatchObject(refused);
    expect(await perform('DeleteImportedKeyMaterial', { KeyId })).toEqual({ KeyId: Arn });
    await expect(importMaterial(KeyId, algorithm, other)).rejects.toMatchObject(refused);
    expect(await stateOf(KeyId)).toBe('PendingImport');
    expect(await importMaterial(KeyId, algorithm, bytes)).toEqual({ KeyId: Arn });
    expect(await stateOf(KeyId)).toBe('Enabled');
  });

  test.each([{ ImportType: 'NEW_KEY_MATERIAL' }, { KeyMaterialDescription: 'mine' }, { KeyMaterialId: 'a'.repeat(64) }])(
    'knows no %j',
    async (member) => {
      const { KeyId, Arn } = await createKey('HMAC_256', 'GENERATE_VERIFY_MAC');
      const [name] = Object.keys(member);
      await expect(importMaterial(KeyId, 'RSAES_OAEP_SHA_256', randomBytes(32), { ...forever, ...member })).rejects.toMatchObject(
        refusal('UnsupportedOperationException', `${Arn} key spec is HMAC_256. ${name} can be used with symmetric encryption keys only.`),
      );
    },
  );

  test('has a public key from its first import on, also while the private key is gone', async () => {
    const { KeyId, Arn } = await createKey('ECC_SECG_P256K1', 'SIGN_VERIFY');
    const pending = refusal('KMSInvalidStateException', `${Arn} is pending import.`);
    await expect(perform('GetPublicKey', { KeyId })).rejects.toMatchObject(pending);
    const { bytes, publicKey } = customerMaterial('ECC_SECG_P256K1');
    await importMaterial(KeyId, 'RSAES_OAEP_SHA_256', bytes);
    expect(Buffer.from((await perform('GetPublicKey', { KeyId })).PublicKey)).toEqual(publicKey);
    await perform('DeleteImportedKeyMaterial', { KeyId });
    expect(Buffer.from((await perform('GetPublicKey', { KeyId })).PublicKey)).toEqual(publicKey);
    const signing = { KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: 'AA==' };
    await expect(perform('Sign', signing)).rejects.toMatchObject(pending);
    await expect(perform('Verify', { ...signing, Signature: 'AA==' })).rejects.toMatchObject(pending);
  });

  test('of spec SM2, in China Regions, is wrapped by SM2PKE under an SM2 key and by nothing else', async () => {
    const china = callerOf({ partition: 'aws-cn', region: 'cn-north-1' });
    const created = { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' };
    const { KeyId } = (await perform('CreateKey', created, china)).KeyMetadata;
    const parameters = { KeyId, WrappingAlgorithm: 'SM2PKE', WrappingKeySpec: 'SM2' };
    for (const WrappingAlgorithm of ['RSAES_OAEP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_256']) {
      const refused = perform('GetParametersForImport', { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_4096' }, china);
      await expect(refused).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
    }
    const { ImportToken, PublicKey } = await perform('GetParametersForImport', parameters, china);
    const { bytes, publicKey } = customerMaterial('SM2');
    const EncryptedKeyMaterial = base64(wrapMaterial(PublicKey, 'SM2PKE', bytes));
    await perform('ImportKeyMaterial', { KeyId, ImportToken: base64(ImportToken), EncryptedKeyMaterial, ...forever }, china);
    expect(Buffer.from((await perform('GetPublicKey', { KeyId }, china)).PublicKey)).toEqual(publicKey);
    const signing = { KeyId, SigningAlgorithm: 'SM2DSA', Message: base64('a message') };
    const { Signature } = await perform('Sign', signing, china);
    expect(await perform('Verify', { ...signing, Signature: base64(Signature) }, china)).toMatchObject({ SignatureValid: true });
  });

  test('is the same key in whatever form of PKCS#8 it comes', async () => {
    const { KeyId } = await createKey('ECC_NIST_P384', 'SIGN_VERIFY');
    const { bytes } = customerMaterial('ECC_NIST_P384');
    await importMaterial(KeyId, 'RSA_AES_KEY_WRAP_SHA_256', bytes);
    const pem = openssl('ec -inform DER -conv_form compressed', bytes);
    const compressed = openssl('pkcs8 -topk8 -nocrypt -outform DER', pem);
    expect(compressed.equals(bytes)).toBe(false);
    await importMaterial(KeyId, 'RSAES_OAEP_SHA_1', compressed);
    expect(await stateOf(KeyId)).toBe('Enabled');
  });
});
