/** The wire as the AWS SDK sees it: one suite for every transport and every way of knowing the caller. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent as HttpsAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  KMSServiceException,
} from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { KmsError, type KmsErrorCode } from '../../src/errors.ts';
import type { Authenticator } from '../../src/wire/authenticator.ts';
import { emulatorAuthenticator } from '../../src/wire/emulator-authenticator.ts';
import { type WireServer, openWireServer } from '../../src/wire/server.ts';
import { sigv4Authenticator } from '../../src/wire/sigv4/sigv4-authenticator.ts';
import { RecordingKms, RecordingLog, newCredential } from '../support/wire.ts';

const limits = { bodyBytesMax: 524_288, headerBytesMax: 16_384, requestTimeoutMs: 10_000, connectionsMax: 50 };
const alice = newCredential({ accessKeyId: '111122223333' });
const authenticators: Record<string, () => Authenticator> = {
  sigv4: () => sigv4Authenticator({ credentials: { find: (id) => (id === alice.accessKeyId ? alice : undefined) }, clock: systemClock }),
  emulator: () => emulatorAuthenticator(),
};

const directory = mkdtempSync(join(tmpdir(), 'wire-contract-'));
const tls = { certificateFile: join(directory, 'certificate.pem'), keyFile: join(directory, 'key.pem') };
beforeAll(() => {
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-days',
    '1',
    '-keyout',
    tls.keyFile,
    '-out',
    tls.certificateFile,
  ];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject], {
    stdio: 'ignore',
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

describe.each([
  ['http', 'sigv4'],
  ['http', 'emulator'],
  ['https', 'sigv4'],
  ['https', 'emulator'],
] as const)('the KMS API over %s with %s', (transport, auth) => {
  let kms: RecordingKms;
  let server: WireServer;
  let client: KMSClient;

  function clientOf(url: string, secretAccessKey = alice.secretText): KMSClient {
    const agents = transport === 'https' ? { httpsAgent: new HttpsAgent({ ca: readFileSync(tls.certificateFile), keepAlive: true }) } : {};
    return new KMSClient({
      endpoint: url,
      region: 'eu-central-1',
      credentials: { accessKeyId: alice.accessKeyId, secretAccessKey },
      maxAttempts: 1,
      requestHandler: agents as never,
    });
  }

  let url: string;
  beforeEach(async () => {
    kms = new RecordingKms();
    server = openWireServer({
      kms,
      log: new RecordingLog(),
      clock: systemClock,
      authenticator: authenticators[auth]!(),
      ready: () => true,
      listener: { host: '127.0.0.1', port: 0, tls: transport === 'https' ? tls : undefined },
      limits,
    });
    ({ url } = await server.listen());
    client = clientOf(url);
  });
  afterEach(async () => {
    client.destroy();
    await server.close({ drainMs: 1000 });
  });

  it('carries inputs, callers, blobs and times', async () => {
    const createdAt = new Date(1_609_193_147_831);
    kms.answer = ({ operation }) =>
      operation === 'Encrypt'
        ? { CiphertextBlob: Buffer.from('ciphertext') }
        : { KeyMetadata: { KeyId: 'x', CreationDate: createdAt, Description: 'Grüße 😀' } };
    const encrypted = await client.send(
      new EncryptCommand({ KeyId: 'alias/é', Plaintext: Buffer.from('hi'), EncryptionContext: { a: 'ü' } }),
    );
    expect(Buffer.from(encrypted.CiphertextBlob!).toString()).toBe('ciphertext');
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: 'x' }));
    expect(KeyMetadata).toEqual({ KeyId: 'x', CreationDate: createdAt, Description: 'Grüße 😀' });
    expect(kms.calls[0]).toMatchObject({
      operation: 'Encrypt',
      input: { KeyId: 'alias/é', Plaintext: 'aGk=', EncryptionContext: { a: 'ü' } },
      caller: {
        account: '111122223333',
        partition: 'aws',
        region: 'eu-central-1',
        sourceAddress: '127.0.0.1',
        secureTransport: transport === 'https',
      },
    });
    expect(encrypted.$metadata.requestId).toBe(kms.calls[0]?.caller.requestId);
  });

  it('carries a plaintext of the largest size, and an answer without a body', async () => {
    const plaintext = Buffer.alloc(4096, 7);
    kms.answer = ({ operation }) => (operation === 'Decrypt' ? { Plaintext: Buffer.from(plaintext) } : undefined);
    const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob: Buffer.alloc(6144, 1) }));
    expect(Buffer.from(Plaintext!)).toEqual(plaintext);
    const { $metadata } = await client.send(new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId: 'x' }));
    expect($metadata.httpStatusCode).toBe(200);
  });

  it.each<[KmsErrorCode, string | undefined, number]>([
    ['NotFoundException', "Key 'x' does not exist", 400],
    ['AccessDeniedException', 'User: x is not authorized', 400],
    ['InvalidCiphertextException', undefined, 400],
    ['KMSInternalException', undefined, 500],
    ['ValidationException', '1 validation error detected: ...', 400],
  ])('carries %s with its message', async (code, message, status) => {
    kms.answer = () => {
      throw new KmsError(code, message);
    };
    const error: unknown = await client.send(new DescribeKeyCommand({ KeyId: 'x' })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KMSServiceException);
    expect(error).toMatchObject({ name: code, message: message ?? 'UnknownError', $metadata: { httpStatusCode: status } });
    expect((error as KMSServiceException).$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it(auth === 'sigv4' ? 'refuses a wrong secret' : 'believes a wrong secret', async () => {
    const impostor = clientOf(url, newCredential().secretText);
    const outcome = await impostor.send(new DescribeKeyCommand({ KeyId: 'x' })).then(
      () => 'believed',
      (error: Error) => error.name,
    );
    impostor.destroy();
    expect(outcome).toBe(auth === 'sigv4' ? 'InvalidSignatureException' : 'believed');
    expect(kms.calls).toHaveLength(auth === 'sigv4' ? 0 : 1);
  });
});
