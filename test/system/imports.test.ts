/**
 * Key material that OpenSSL made and wrapped in files, as the guide of AWS KMS has it, imported through the AWS SDK into daemons with
 * the software key store and with tokens. What the keys then do is judged by OpenSSL with the files.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  CreateKeyCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  RotateKeyOnDemandCommand,
  SignCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import type {
  AlgorithmSpec,
  ImportKeyMaterialRequest,
  KeySpec,
  KeyUsageType,
  MacAlgorithmSpec,
  SigningAlgorithmSpec,
  WrappingKeySpec,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

const message = Buffer.from('a message of some length, signed and authenticated');

const openssl = (...words: string[]): Buffer => execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'ignore'] });

/** Options of `openssl genpkey` for a named curve. */
const curve = (name: string): readonly string[] => ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${name}`];

const parameters = (KeyId: string): GetParametersForImportCommand =>
  new GetParametersForImportCommand({ KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' });

/** Residency `wrapped` differs inside the key store only, where its contract is held in every run. */
const stores =
  process.env['HSM_KMS_TEST_FULL'] === undefined
    ? (['software', 'softhsm'] as const)
    : (['software', 'softhsm', 'softhsm-wrapped'] as const);

describe.each(stores)('the AWS SDK importing what OpenSSL wrapped (%s)', (store) => {
  let daemon: RunningDaemon;
  let client: KMSClient;
  let folder: string;
  let files = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hsm-kms-imports-'));
    daemon = await startDaemon({ store, auth: 'sigv4' });
    client = new KMSClient({ endpoint: daemon.endpoint, region: 'eu-central-1', credentials: daemon.credentials, maxAttempts: 1 });
  });
  afterAll(async () => {
    client?.destroy();
    await daemon?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const newFile = (): string => join(folder, String((files += 1)));

  function written(bytes: Uint8Array): string {
    const file = newFile();
    writeFileSync(file, bytes);
    return file;
  }

  function randomFile(lengthBytes: number): string {
    const file = newFile();
    openssl('rand', '-out', file, String(lengthBytes));
    return file;
  }

  /** A private key as DER PKCS#8 in a file. */
  function privateKeyFile(...generate: string[]): string {
    const [pem, file] = [newFile(), newFile()];
    openssl('genpkey', ...generate, '-out', pem);
    openssl('pkcs8', '-topk8', '-nocrypt', '-in', pem, '-outform', 'DER', '-out', file);
    return file;
  }

  /** DER SubjectPublicKeyInfo of the private key in `file`. */
  function publicKeyFile(file: string): string {
    const made = newFile();
    openssl('pkey', '-in', file, '-inform', 'DER', '-pubout', '-outform', 'DER', '-out', made);
    return made;
  }

  function encryptOaep(file: string, publicKey: string, digest: string): Buffer {
    const wrapped = newFile();
    const oaep = ['rsa_padding_mode:oaep', `rsa_oaep_md:${digest}`, `rsa_mgf1_md:${digest}`].flatMap((option) => ['-pkeyopt', option]);
    openssl('pkeyutl', '-encrypt', '-in', file, '-out', wrapped, '-inkey', publicKey, '-keyform', 'DER', '-pubin', ...oaep);
    return readFileSync(wrapped);
  }

  function wrap(file: string, publicKey: Uint8Array, algorithm: AlgorithmSpec): Buffer {
    const digest = algorithm.endsWith('SHA_1') ? 'sha1' : 'sha256';
    const key = written(publicKey);
    if (algorithm.startsWith('RSAES_OAEP')) return encryptOaep(file, key, digest);
    const [wrappingKey, wrapped] = [randomFile(32), newFile()];
    const hex = readFileSync(wrappingKey).toString('hex');
    openssl('enc', '-id-aes256-wrap-pad', '-iv', 'A65959A6', '-K', hex, '-in', file, '-out', wrapped);
    return Buffer.concat([encryptOaep(wrappingKey, key, digest), readFileSync(wrapped)]);
  }

  async function createKey(KeySpec: KeySpec, KeyUsage: KeyUsageType): Promise<string> {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec, KeyUsage, Origin: 'EXTERNAL' }));
    expect(KeyMetadata).toMatchObject({ KeySpec, KeyState: 'PendingImport', Origin: 'EXTERNAL', Enabled: false });
    return KeyMetadata?.KeyId ?? '';
  }

  async function importFile(
    KeyId: string,
    file: string,
    WrappingAlgorithm: AlgorithmSpec,
    terms: Partial<ImportKeyMaterialRequest> = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' },
    WrappingKeySpec: WrappingKeySpec = 'RSA_2048',
  ): Promise<string | undefined> {
    const { ImportToken, PublicKey = new Uint8Array() } = await client.send(
      new GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec }),
    );
    const EncryptedKeyMaterial = wrap(file, PublicKey, WrappingAlgorithm);
    const { KeyMaterialId } = await client.send(new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ...terms }));
    return KeyMaterialId;
  }

  async function stateOf(KeyId: string): Promise<string | undefined> {
    return (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;
  }

  async function encrypt(KeyId: string): Promise<Uint8Array | undefined> {
    return (await client.send(new EncryptCommand({ KeyId, Plaintext: message }))).CiphertextBlob;
  }

  async function decrypt(CiphertextBlob: Uint8Array | undefined): Promise<Buffer> {
    return Buffer.from((await client.send(new DecryptCommand({ CiphertextBlob }))).Plaintext ?? []);
  }

  const oaep: readonly AlgorithmSpec[] = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'];
  const keyWrap: readonly AlgorithmSpec[] = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'];

  it.each(oaep)(
    'an AES key by %s, deleted and imported again: what it sealed opens, also after a crash of the daemon',
    async (algorithm) => {
      const KeyId = await createKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
      const file = randomFile(32);
      const materialId = await importFile(KeyId, file, algorithm);
      const ciphertext = await encrypt(KeyId);
      await client.send(new DeleteImportedKeyMaterialCommand({ KeyId }));
      await expect(decrypt(ciphertext)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
      await expect(importFile(KeyId, randomFile(32), algorithm)).rejects.toMatchObject({ name: 'IncorrectKeyMaterialException' });
      await daemon.restart('kill');
      expect(await stateOf(KeyId)).toBe('PendingImport');
      expect(await importFile(KeyId, file, algorithm)).toBe(materialId);
      await daemon.restart('kill');
      expect(await decrypt(ciphertext)).toEqual(message);
    },
  );

  const macs: readonly (readonly [KeySpec, MacAlgorithmSpec, string, number])[] = [
    ['HMAC_224', 'HMAC_SHA_224', 'sha224', 28],
    ['HMAC_256', 'HMAC_SHA_256', 'sha256', 32],
    ['HMAC_384', 'HMAC_SHA_384', 'sha384', 48],
    ['HMAC_512', 'HMAC_SHA_512', 'sha512', 64],
  ];
  it.each(macs.flatMap(([...row]) => oaep.map((algorithm) => [row[0], algorithm, ...row.slice(1)] as const)))(
    'a key of %s by %s authenticates as OpenSSL does with the file',
    async (spec, algorithm, mac, digest, lengthBytes) => {
      const KeyId = await createKey(spec as KeySpec, 'GENERATE_VERIFY_MAC');
      const file = randomFile(lengthBytes as number);
      expect(await importFile(KeyId, file, algorithm as AlgorithmSpec)).toBeUndefined();
      const key = `hexkey:${readFileSync(file).toString('hex')}`;
      const expected = openssl('dgst', `-${digest}`, '-mac', 'HMAC', '-macopt', key, '-binary', written(message));
      const MacAlgorithm = mac as MacAlgorithmSpec;
      const { Mac } = await client.send(new GenerateMacCommand({ KeyId, MacAlgorithm, Message: message }));
      expect(Buffer.from(Mac ?? [])).toEqual(expected);
      expect(await client.send(new VerifyMacCommand({ KeyId, MacAlgorithm, Message: message, Mac: expected }))).toMatchObject({
        MacValid: true,
      });
    },
  );

  /** Signs with the imported key; OpenSSL verifies with the public half of the file. */
  async function proveSigning(
    KeyId: string,
    file: string,
    SigningAlgorithm: SigningAlgorithmSpec,
    digest: string | undefined,
  ): Promise<void> {
    const publicKey = publicKeyFile(file);
    expect(Buffer.from((await client.send(new GetPublicKeyCommand({ KeyId }))).PublicKey ?? [])).toEqual(readFileSync(publicKey));
    const { Signature = new Uint8Array() } = await client.send(new SignCommand({ KeyId, SigningAlgorithm, Message: message }));
    const signed = written(message);
    const how = digest === undefined ? [] : ['-digest', digest];
    const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', publicKey, '-keyform', 'DER', '-rawin', ...how];
    expect(openssl(...verify, '-sigfile', written(Signature), '-in', signed).toString()).toContain('Verified Successfully');
  }

  const rsa = [2048, 3072, 4096].flatMap((bits) => keyWrap.map((algorithm) => [bits, algorithm] as const));
  it.each(rsa)('an RSA key of %d bits by %s signs for OpenSSL', async (bits, algorithm) => {
    const KeyId = await createKey(`RSA_${bits}` as KeySpec, 'SIGN_VERIFY');
    const file = privateKeyFile('-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`);
    await importFile(KeyId, file, algorithm);
    await proveSigning(KeyId, file, 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256');
  });

  const curves: readonly (readonly [KeySpec, SigningAlgorithmSpec, string | undefined, readonly string[]])[] = [
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256', curve('P-256')],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384', curve('P-384')],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'sha512', curve('P-521')],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 'sha256', curve('secp256k1')],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', undefined, ['-algorithm', 'ed25519']],
  ];
  const wrappedCurves = curves.flatMap(([spec, signing, digest, generate]) =>
    [...oaep, ...keyWrap].map((algorithm) => ({ spec, algorithm, signing, digest, generate })),
  );
  /** SoftHSM unwraps no Ed25519 keys, and wraps none. */
  const refused = wrappedCurves.filter(({ spec }) => store !== 'software' && spec === 'ECC_NIST_EDWARDS25519');
  it.skipIf(refused.length === 0)('keys that the token does not unwrap are refused with the reason', async () => {
    for (const { spec, algorithm, generate } of refused) {
      const attempt = async (): Promise<unknown> =>
        importFile(await createKey(spec, 'SIGN_VERIFY'), privateKeyFile(...generate), algorithm);
      await expect(attempt()).rejects.toMatchObject({
        name: 'UnsupportedOperationException',
        message: expect.stringContaining('EC_EDWARDS'),
      });
    }
  });

  /** Imports the file as a new key, and asks the program how. */
  async function saysSoftware(KeySpec: KeySpec, file: string, algorithm: AlgorithmSpec): Promise<boolean> {
    const KeyId = await createKey(KeySpec, KeySpec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : 'SIGN_VERIFY');
    await importFile(KeyId, file, algorithm);
    const { stdout } = await daemon.cli('keys', 'show', KeyId);
    expect(stdout).toContain('imported');
    return stdout.includes('imported through software');
  }

  it.skipIf(store === 'software')('keys tell for ever whether their material was in software when it was imported', async () => {
    const p256 = privateKeyFile(...curve('P-256'));
    expect(await saysSoftware('ECC_NIST_P256', p256, 'RSA_AES_KEY_WRAP_SHA_1')).toBe(false);
    expect(await saysSoftware('ECC_NIST_P256', p256, 'RSA_AES_KEY_WRAP_SHA_256')).toBe(true);
    expect(await saysSoftware('SYMMETRIC_DEFAULT', randomFile(32), 'RSAES_OAEP_SHA_256')).toBe(true);
  });

  const agreed = wrappedCurves.filter(({ spec, algorithm }) => spec.startsWith('ECC_NIST_P') && algorithm.startsWith('RSA_AES'));
  it.each(agreed)('a key of $spec by $algorithm agrees on what OpenSSL derives', async ({ spec, algorithm, generate }) => {
    const KeyId = await createKey(spec, 'KEY_AGREEMENT');
    const [file, peer] = [privateKeyFile(...generate), privateKeyFile(...generate)];
    await importFile(KeyId, file, algorithm);
    const key = ['-inkey', peer, '-keyform', 'DER', '-peerkey', publicKeyFile(file), '-peerform', 'DER'];
    const PublicKey = readFileSync(publicKeyFile(peer));
    const { SharedSecret } = await client.send(new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }));
    expect(Buffer.from(SharedSecret ?? [])).toEqual(openssl('pkeyutl', '-derive', ...key));
  });

  const served = wrappedCurves.filter((row) => !refused.includes(row));
  it.each(served)('a key of $spec by $algorithm signs for OpenSSL', async ({ spec, algorithm, signing, digest, generate }) => {
    const KeyId = await createKey(spec, 'SIGN_VERIFY');
    const file = privateKeyFile(...generate);
    await importFile(KeyId, file, algorithm, undefined, spec === 'ECC_NIST_P521' ? 'RSA_3072' : 'RSA_2048');
    await proveSigning(KeyId, file, signing, digest);
  });

  it('several materials of one key: the second after a rotation, the first still opens what it sealed', async () => {
    const KeyId = await createKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const first = await importFile(KeyId, randomFile(32), 'RSAES_OAEP_SHA_256', undefined, 'RSA_4096');
    const ciphertext = await encrypt(KeyId);
    const second = await importFile(KeyId, randomFile(32), 'RSAES_OAEP_SHA_256', {
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ImportType: 'NEW_KEY_MATERIAL',
      KeyMaterialDescription: 'of the second year',
    });
    const current = async (): Promise<string | undefined> =>
      (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId;
    expect(await current()).toBe(first);
    await client.send(new RotateKeyOnDemandCommand({ KeyId }));
    await expect.poll(current, { timeout: 20_000 }).toBe(second);
    expect(await client.send(new DecryptCommand({ CiphertextBlob: ciphertext }))).toMatchObject({ KeyMaterialId: first });
    expect(await client.send(new DecryptCommand({ CiphertextBlob: await encrypt(KeyId) }))).toMatchObject({ KeyMaterialId: second });
  });

  it('material that expires works until then and not after it', async () => {
    const KeyId = await createKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const ValidTo = new Date(Math.ceil(Date.now() / 1_000 + 4) * 1_000);
    await importFile(KeyId, randomFile(32), 'RSAES_OAEP_SHA_256', { ValidTo });
    expect((await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({
      KeyState: 'Enabled',
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo,
    });
    const ciphertext = await encrypt(KeyId);
    await wait(ValidTo.getTime() - Date.now() + 1);
    expect(await stateOf(KeyId)).toBe('PendingImport');
    await expect(decrypt(ciphertext)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
  });

  it('a damaged file, a file for another key, another token: each refused with its own error', async () => {
    const KeyId = await createKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const other = await createKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const [own, foreign] = [await client.send(parameters(KeyId)), await client.send(parameters(other))];
    const wrapped = wrap(randomFile(32), own.PublicKey ?? new Uint8Array(), 'RSAES_OAEP_SHA_256');
    const attempt = (token: Uint8Array | undefined, bytes: Uint8Array): Promise<unknown> =>
      client.send(
        new ImportKeyMaterialCommand({
          KeyId,
          ImportToken: token,
          EncryptedKeyMaterial: bytes,
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      );
    await expect(attempt(foreign.ImportToken, wrapped)).rejects.toMatchObject({ name: 'InvalidImportTokenException' });
    const damaged = Buffer.from(wrapped).fill(wrapped[9]! ^ 1, 9, 10);
    await expect(attempt(own.ImportToken, damaged)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
    const short = wrap(randomFile(31), own.PublicKey ?? new Uint8Array(), 'RSAES_OAEP_SHA_256');
    await expect(attempt(own.ImportToken, short)).rejects.toMatchObject({ name: 'IncorrectKeyMaterialException' });
    await attempt(own.ImportToken, wrapped);
    expect(await stateOf(KeyId)).toBe('Enabled');
  });
});
