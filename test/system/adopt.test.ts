/**
 * Keys that OpenSC made in a SoftHSM token become KMS keys and serve through the SDK; what must not become one is refused. Attributes are
 * compared before and after through an independent binding.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  SignCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type CliResult, type RunningDaemon } from '../support/daemon.ts';
import { makeForeignKey, pkcs11Tool, tokenObjects } from '../support/foreign-token-keys.ts';
import type { TokenObjectText } from '../support/foreign-token-keys.ts';

const aesOnlyEncrypts = { SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false };
const startMsMax = 180_000;

let daemon: RunningDaemon;
let token: NonNullable<RunningDaemon['token']>;
let client: KMSClient;

function adopt(...words: readonly string[]): Promise<CliResult> {
  return daemon.cli('keys', 'adopt', '--key-store', 'softhsm', ...words);
}

function objectsOf(label: string): readonly TokenObjectText[] {
  return tokenObjects(token).filter((object) => object.label === label);
}

beforeAll(async () => {
  daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
  if (daemon.token === undefined) throw new Error('this daemon has no token');
  token = daemon.token;
  makeForeignKey(token, 'AES:32', { label: 'aes', id: 'a1' }, aesOnlyEncrypts);
  makeForeignKey(token, 'AES:32', { label: 'aes-derive', id: 'a2' }, { ...aesOnlyEncrypts, ENCRYPT: false, DECRYPT: false, DERIVE: true });
  makeForeignKey(token, 'GENERIC:32', { label: 'hmac', id: 'b1' }, {});
  makeForeignKey(token, 'rsa:2048', { label: 'rsa-sign', id: 'c1' }, { DECRYPT: false, UNWRAP: false });
  makeForeignKey(token, 'rsa:2048', { label: 'rsa-decrypt', id: 'c2' }, { SIGN: false, SIGN_RECOVER: false, UNWRAP: false });
  makeForeignKey(token, 'EC:prime256v1', { label: 'ec-sign', id: 'd1' }, { DERIVE: false, DECRYPT: false, UNWRAP: false });
  makeForeignKey(token, 'EC:secp384r1', { label: 'ec-derive', id: 'd2' }, { DERIVE: true, SIGN: false, DECRYPT: false, UNWRAP: false });
}, startMsMax);
afterAll(() => daemon?.stop());

describe('keys adopt beside a running daemon', () => {
  it('says that the daemon has to be stopped', async () => {
    const result = await adopt('--label', 'aes', '--custody', 'reduced');
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('is in use by another process; stop that one first');
  });
});

describe('keys adopt while the daemon is stopped', () => {
  const arns = new Map<string, string>();
  let before: readonly TokenObjectText[];

  beforeAll(async () => {
    await daemon.end();
    before = tokenObjects(token);
  }, startMsMax);

  it('lists what is weak about a key and refuses it until reduced custody is accepted', async () => {
    const result = await adopt('--label', 'rsa-sign');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('it is MODIFIABLE');
    expect(result.stderr).toContain('It can be accepted as custody "reduced"');
  });

  it('changes nothing in a dry run', async () => {
    const result = await adopt('--label', 'ec-sign', '--custody', 'reduced', '--dry-run');
    expect(result).toMatchObject({ code: 0, stdout: 'ECC_NIST_P256 SIGN_VERIFY\n' });
    expect(JSON.parse((await daemon.cli('keys', 'list', '--json')).stdout)).toEqual([]);
  });

  it.each([
    ['aes', 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
    ['aes-derive', 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
    ['hmac', 'HMAC_256', 'GENERATE_VERIFY_MAC'],
    ['rsa-sign', 'RSA_2048', 'SIGN_VERIFY'],
    ['rsa-decrypt', 'RSA_2048', 'ENCRYPT_DECRYPT'],
    ['ec-sign', 'ECC_NIST_P256', 'SIGN_VERIFY'],
    ['ec-derive', 'ECC_NIST_P384', 'KEY_AGREEMENT'],
  ])('adopts %s as %s for %s and says what that means', async (label, keySpec, keyUsage) => {
    const words = [
      '--label',
      label,
      '--custody',
      'reduced',
      '--alias',
      `alias/${label}`,
      '--account',
      daemon.credentials.account,
      '--json',
    ];
    const result = await adopt(...words);
    expect(result.stderr).toContain('deleting this KMS key will destroy the object in the token');
    expect(result.stderr.includes('uses of the key outside of this service are not known')).toBe(label === 'aes');
    const adopted = JSON.parse(result.stdout) as { readonly arn: string };
    expect(adopted).toMatchObject({ keySpec, keyUsage, custody: 'reduced' });
    arns.set(label, adopted.arn);
  });

  it('refuses to adopt an object twice', async () => {
    const result = await adopt('--id', 'a1', '--custody', 'reduced');
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`the token object is the material of ${arns.get('aes')} already`);
  });

  it('leaves every attribute of every object as it was', () => {
    expect(tokenObjects(token)).toEqual(expect.arrayContaining([...before]));
    expect(tokenObjects(token)).toHaveLength(before.length);
  });

  it('shows adopted keys as adopted, with their custody', async () => {
    const shown = await daemon.cli('keys', 'show', 'alias/rsa-sign');
    expect(shown.stdout).toMatch(/softhsm HSM token - custody reduced adopted current/);
  });

  describe('and the daemon', () => {
    beforeAll(async () => {
      await daemon.start();
      client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
    }, startMsMax);
    afterAll(() => client.destroy());

    it('finds them all in the token when it starts', () => {
      expect(daemon.log()).not.toContain('token objects are not found');
    });

    it.each(['aes', 'aes-derive'])('encrypts and decrypts with %s', async (label) => {
      const plaintext = randomBytes(32);
      const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: `alias/${label}`, Plaintext: plaintext }));
      const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob }));
      expect(Buffer.from(Plaintext ?? [])).toEqual(plaintext);
    });

    it('decrypts with an RSA key what was encrypted under its public half', async () => {
      const plaintext = randomBytes(32);
      const wanted = { KeyId: 'alias/rsa-decrypt', EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
      const { CiphertextBlob } = await client.send(new EncryptCommand({ ...wanted, Plaintext: plaintext }));
      const { Plaintext } = await client.send(new DecryptCommand({ ...wanted, CiphertextBlob }));
      expect(Buffer.from(Plaintext ?? [])).toEqual(plaintext);
    });

    it('signs so that OpenSSL verifies, under the public key that it returns', async () => {
      const message = randomBytes(100);
      for (const [label, SigningAlgorithm] of [
        ['rsa-sign', 'RSASSA_PKCS1_V1_5_SHA_256'],
        ['ec-sign', 'ECDSA_SHA_256'],
      ] as const) {
        const { Signature } = await client.send(new SignCommand({ KeyId: `alias/${label}`, Message: message, SigningAlgorithm }));
        const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: `alias/${label}` }));
        const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
        expect(verify('sha256', message, key, Buffer.from(Signature ?? []))).toBe(true);
      }
    });

    it('computes MACs and agrees on secrets', async () => {
      const mac = { KeyId: 'alias/hmac', MacAlgorithm: 'HMAC_SHA_256', Message: randomBytes(20) } as const;
      const { Mac } = await client.send(new GenerateMacCommand(mac));
      expect((await client.send(new VerifyMacCommand({ ...mac, Mac }))).MacValid).toBe(true);
      const peer = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
      const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: 'alias/ec-derive' }));
      const own = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
      const { SharedSecret } = await client.send(
        new DeriveSharedSecretCommand({
          KeyId: 'alias/ec-derive',
          KeyAgreementAlgorithm: 'ECDH',
          PublicKey: peer.publicKey.export({ format: 'der', type: 'spki' }),
        }),
      );
      expect(Buffer.from(SharedSecret ?? [])).toEqual(diffieHellman({ privateKey: peer.privateKey, publicKey: own }));
    });

    it('leaves their attributes as they were, in use and while they wait for deletion', async () => {
      await client.send(new ScheduleKeyDeletionCommand({ KeyId: arns.get('aes'), PendingWindowInDays: 7 }));
      await client.send(new CancelKeyDeletionCommand({ KeyId: arns.get('aes') }));
      for (const label of arns.keys()) expect(objectsOf(label)).toEqual(before.filter((object) => object.label === label));
    });
  });
});

describe('keys adopt refuses', () => {
  beforeAll(async () => {
    await daemon.end();
    makeForeignKey(token, 'AES:32', { label: 'extractable', id: 'e1' }, aesOnlyEncrypts, ['--sensitive', '--private', '--extractable']);
    makeForeignKey(token, 'AES:32', { label: 'two-uses', id: 'e2' }, { ...aesOnlyEncrypts, DERIVE: true });
    makeForeignKey(token, 'AES:32', { label: 'wraps', id: 'e3' }, { SIGN: false, VERIFY: false });
    makeForeignKey(token, 'AES:16', { label: 'short', id: 'e4' }, aesOnlyEncrypts);
    makeForeignKey(token, 'AES:32', { label: 'twin-1', id: 'e5' }, aesOnlyEncrypts);
    makeForeignKey(token, 'AES:32', { label: 'twin-2', id: 'e5' }, aesOnlyEncrypts);
    makeForeignKey(token, 'rsa:2048', { label: 'unwraps', id: 'e6' }, { SIGN: false, SIGN_RECOVER: false });
    makeForeignKey(token, 'EC:prime256v1', { label: 'orphan', id: 'e7' }, { DERIVE: false, DECRYPT: false, UNWRAP: false });
    makeForeignKey(token, 'EC:prime256v1', { label: 'two-usages', id: 'e8' }, { DERIVE: true });
    pkcs11Tool(token, '--delete-object', '--type', 'pubkey', '--id', 'e7');
    makeForeignKey(token, 'rsa:2048', { label: 'public-only', id: 'e9' }, {});
    pkcs11Tool(token, '--delete-object', '--type', 'privkey', '--id', 'e9');
  }, startMsMax);

  it.each([
    ['extractable', 'it is EXTRACTABLE'],
    ['two-uses', 'can also be used for DERIVE'],
    ['wraps', 'can also be used for WRAP, UNWRAP'],
    ['short', 'no KMS key spec for a key of type AES of 16 bytes'],
    ['twin-1', 'several keys of the token have the CKA_ID of this one'],
    ['unwraps', 'can also be used for UNWRAP'],
    ['orphan', 'no public key object has its CKA_ID'],
    ['two-usages', 'name the one that its KMS key shall have, SIGN_VERIFY or KEY_AGREEMENT'],
    ['public-only', 'the token shows no secret or private key of this name'],
    ['hsm-kms wrapping key', 'cannot be adopted|is one of this service'],
  ])('%s, whatever custody is accepted', async (label, reason) => {
    const before = tokenObjects(token);
    const result = await adopt('--label', label, '--custody', 'reduced');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(new RegExp(reason));
    expect(tokenObjects(token)).toEqual(expect.arrayContaining([...before]));
  });

  it('a pair for two usages only until one of them is named', async () => {
    const words = ['--label', 'two-usages', '--custody', 'reduced', '--key-usage', 'KEY_AGREEMENT', '--dry-run'];
    const result = await adopt(...words);
    expect(result).toMatchObject({ code: 0, stdout: 'ECC_NIST_P256 KEY_AGREEMENT\n' });
    expect(result.stderr).toContain('it also permits SIGN, ');
  });
});
