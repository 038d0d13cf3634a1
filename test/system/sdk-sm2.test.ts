/** The newest AWS SDK for JavaScript with SM2 keys in a China Region; the OpenSSL command line is the other party. */
import { execFileSync } from 'node:child_process';
import { createECDH, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import type { KeyUsageType } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agreeSm2, sm2PointOf } from '../../src/keys/sm2-curve.ts';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

const openssl = (...words: string[]): Buffer => execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'pipe'] });

/** By OpenSSL, or where this Node.js refuses the curve by the other half of the same computation. */
function agreed(scalar: Buffer, peer: Buffer): Buffer {
  const ecdh = createECDH('SM2');
  if (Number(process.versions.node.split('.')[0]) >= 24) return Buffer.from(agreeSm2({ scalar, point: peer }, sm2PointOf(peer)));
  ecdh.setPrivateKey(scalar);
  return ecdh.computeSecret(peer);
}

describe('the AWS SDK with SM2', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-sm2-'));
  let daemon: RunningDaemon;
  let client: KMSClient;

  const connect = (region: string): KMSClient =>
    new KMSClient({ endpoint: daemon.endpoint, region, credentials: daemon.credentials, maxAttempts: 1 });

  beforeAll(async () => {
    // The access keys of a test are of the aws partition; the emulator takes the partition from the Region.
    daemon = await startDaemon({ store: 'software', auth: 'emulator' });
    client = connect('cn-north-1');
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function file(name: string, bytes: Uint8Array | undefined): string {
    writeFileSync(join(folder, name), bytes ?? new Uint8Array(), { mode: 0o600 });
    return join(folder, name);
  }

  /** A key of the service, with its public half in a file for OpenSSL. */
  async function createKey(usage: KeyUsageType): Promise<{ readonly KeyId: string; readonly publicFile: string }> {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec: 'SM2', KeyUsage: usage }));
    const KeyId = KeyMetadata?.Arn ?? '';
    expect(KeyId).toMatch(/^arn:aws-cn:kms:cn-north-1:/);
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
    return { KeyId, publicFile: file(`${usage}.der`, PublicKey) };
  }

  it('makes signatures that OpenSSL verifies, and verifies them', async () => {
    const { KeyId, publicFile } = await createKey('SIGN_VERIFY');
    const Message = Uint8Array.from(randomBytes(500));
    const { Signature } = await client.send(new SignCommand({ KeyId, Message, SigningAlgorithm: 'SM2DSA' }));
    const inputs = ['-in', file('message', Message), '-sigfile', file('signature', Signature)];
    const identity = ['-rawin', '-digest', 'sm3', '-pkeyopt', 'distid:1234567812345678'];
    const verified = openssl('pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', publicFile, ...inputs, ...identity);
    expect(verified.toString()).toContain('Signature Verified Successfully');
    const { SignatureValid } = await client.send(new VerifyCommand({ KeyId, Message, Signature, SigningAlgorithm: 'SM2DSA' }));
    expect(SignatureValid).toBe(true);
  });

  it('opens what OpenSSL encrypted, and what it encrypted itself', async () => {
    const { KeyId, publicFile } = await createKey('ENCRYPT_DECRYPT');
    const Plaintext = Uint8Array.from(randomBytes(100));
    const made = openssl('pkeyutl', '-encrypt', '-pubin', '-keyform', 'DER', '-inkey', publicFile, '-in', file('plaintext', Plaintext));
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext, EncryptionAlgorithm: 'SM2PKE' }));
    for (const ciphertext of [made, CiphertextBlob]) {
      const opened = await client.send(new DecryptCommand({ KeyId, CiphertextBlob: ciphertext, EncryptionAlgorithm: 'SM2PKE' }));
      expect(Uint8Array.from(opened.Plaintext ?? [])).toEqual(Plaintext);
    }
  });

  it('agrees with a data key pair that OpenSSL reads on the secret that its private key gives', async () => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const pair = await client.send(new GenerateDataKeyPairCommand({ KeyId: KeyMetadata?.KeyId, KeyPairSpec: 'SM2' }));
    const publicHalf = openssl('pkey', '-inform', 'DER', '-in', file('pair.der', pair.PrivateKeyPlaintext), '-pubout', '-outform', 'DER');
    expect(publicHalf).toEqual(Buffer.from(pair.PublicKey ?? []));
    const { KeyId, publicFile } = await createKey('KEY_AGREEMENT');
    const input = { KeyId, PublicKey: pair.PublicKey, KeyAgreementAlgorithm: 'ECDH' } as const;
    const { SharedSecret } = await client.send(new DeriveSharedSecretCommand(input));
    // The scalar stands at a fixed place in the PKCS#8 of this curve.
    const scalar = Buffer.from(pair.PrivateKeyPlaintext ?? []).subarray(36, 68);
    expect(Buffer.from(SharedSecret ?? [])).toEqual(agreed(scalar, readFileSync(publicFile).subarray(-65)));
  });

  it('is refused elsewhere', async () => {
    const elsewhere = connect('eu-central-1');
    await expect(elsewhere.send(new CreateKeyCommand({ KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }))).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: 'Key spec SM2 is available in China Regions only.',
    });
    elsewhere.destroy();
  });
});
