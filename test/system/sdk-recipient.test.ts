/**
 * The newest AWS SDK for JavaScript as an enclave would use it: attested requests to a daemon that trusts a root made by the test; what
 * comes back is opened by OpenSSL.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateRandomCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import type { KeySpec, KeyUsageType, RecipientInfo } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attestationDocument, nitroPki, recipientKey } from '../support/attestation-documents.ts';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';
import { openEnvelopedData } from '../support/open-enveloped-data.ts';

describe('the AWS SDK in an enclave', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-root-'));
  const pki = nitroPki(Date.now());
  const { publicKey, privateKey } = recipientKey();
  let daemon: RunningDaemon;
  let client: KMSClient;
  let KeyId: string;

  beforeAll(async () => {
    const rootCertificateFile = join(folder, 'root.pem');
    writeFileSync(rootCertificateFile, pki.rootPem);
    daemon = await startDaemon({
      store: 'software',
      auth: 'sigv4',
      configure: (config) => {
        config['attestation'] = { rootCertificateFile };
      },
    });
    client = new KMSClient({ endpoint: daemon.endpoint, region: 'eu-central-1', credentials: daemon.credentials, maxAttempts: 1 });
    KeyId = await createKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function createKey(spec: KeySpec, usage: KeyUsageType): Promise<string> {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec: spec, KeyUsage: usage }));
    return KeyMetadata?.KeyId ?? '';
  }

  function recipient(): RecipientInfo {
    return { AttestationDocument: attestationDocument(pki, Date.now(), publicKey), KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' };
  }

  function opened(cms: Uint8Array | undefined): Uint8Array {
    return openEnvelopedData(cms ?? new Uint8Array(), privateKey);
  }

  it('decrypts for the enclave only', async () => {
    const Plaintext = Uint8Array.from(randomBytes(4_096));
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext }));
    const answer = await client.send(new DecryptCommand({ CiphertextBlob, Recipient: recipient() }));
    expect(answer.Plaintext).toBeUndefined();
    expect(answer.KeyMaterialId).toBeUndefined();
    expect(opened(answer.CiphertextForRecipient)).toEqual(Plaintext);
  });

  it('makes a data key for the enclave only', async () => {
    const made = await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', Recipient: recipient() }));
    expect(made.Plaintext).toBeUndefined();
    const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }));
    expect(opened(made.CiphertextForRecipient)).toEqual(Uint8Array.from(Plaintext ?? []));
  });

  it('makes a data key pair for the enclave only', async () => {
    const made = await client.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P384', Recipient: recipient() }));
    expect(made.PrivateKeyPlaintext).toBeUndefined();
    const pair = createPrivateKey({ key: Buffer.from(opened(made.CiphertextForRecipient)), format: 'der', type: 'pkcs8' });
    expect(createPublicKey(pair).export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(made.PublicKey ?? []));
  });

  it('draws random bytes for the enclave only', async () => {
    const { Plaintext, CiphertextForRecipient } = await client.send(
      new GenerateRandomCommand({ NumberOfBytes: 100, Recipient: recipient() }),
    );
    expect(Plaintext).toBeUndefined();
    expect(opened(CiphertextForRecipient)).toHaveLength(100);
  });

  it('agrees on a secret for the enclave only', async () => {
    const key = await createKey('ECC_NIST_P256', 'KEY_AGREEMENT');
    const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
    const input = { KeyId: key, KeyAgreementAlgorithm: 'ECDH', PublicKey: peer } as const;
    const { SharedSecret } = await client.send(new DeriveSharedSecretCommand(input));
    const attested = await client.send(new DeriveSharedSecretCommand({ ...input, Recipient: recipient() }));
    expect(attested.SharedSecret).toBeUndefined();
    expect(opened(attested.CiphertextForRecipient)).toEqual(Uint8Array.from(SharedSecret ?? []));
  });

  it('is refused a dry run, and an answer, for a document that was changed', async () => {
    const AttestationDocument = Uint8Array.from(recipient().AttestationDocument ?? []);
    AttestationDocument[AttestationDocument.length - 1] = (AttestationDocument[AttestationDocument.length - 1] ?? 0) ^ 1;
    for (const DryRun of [true, false]) {
      const input = { KeyId, KeySpec: 'AES_256', Recipient: { ...recipient(), AttestationDocument }, DryRun } as const;
      await expect(client.send(new GenerateDataKeyCommand(input))).rejects.toMatchObject({
        name: 'ValidationException',
        message: 'The attestation document was refused: its signature does not verify.',
      });
    }
    const dry = { KeyId, KeySpec: 'AES_256', Recipient: recipient(), DryRun: true } as const;
    await expect(client.send(new GenerateDataKeyCommand(dry))).rejects.toMatchObject({ name: 'DryRunOperationException' });
  });
});
