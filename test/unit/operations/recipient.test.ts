/** Requests with a Recipient, over the software key store: what the attested key reads, nobody else does. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attestationVerifier } from '../../../src/attestation/attestation-verifier.ts';
import { systemClock } from '../../../src/clock.ts';
import { attestationDocument, nitroPki, recipientKey } from '../../support/attestation-documents.ts';
import { base64, callerOf, refusal } from '../../support/kms-fixture.ts';
import { openEnvelopedData } from '../../support/open-enveloped-data.ts';
import { openSoftwareKms } from '../../support/software-kms.ts';

const pki = nitroPki(systemClock.nowMs());
const { publicKey, privateKey } = recipientKey();
const attested = await openSoftwareKms({ attestation: attestationVerifier(pki.root, systemClock) });
const rootless = await openSoftwareKms();
afterAll(async () => {
  await attested.remove();
  await rootless.remove();
});

// oxlint-disable-next-line typescript/no-explicit-any
async function perform(operation: string, input: object, service: typeof attested = attested): Promise<any> {
  return service.kms.perform(operation, input, callerOf());
}

function recipientOf(changes: Record<string, unknown> = {}): object {
  const document = attestationDocument(pki, systemClock.nowMs(), publicKey);
  return { Recipient: { AttestationDocument: base64(document), KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', ...changes } };
}

let keyId = '';
let agreementKeyId = '';
let ciphertext = '';
const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const peerKey = base64(peer.publicKey.export({ type: 'spki', format: 'der' }));

beforeAll(async () => {
  keyId = (await perform('CreateKey', {})).KeyMetadata.KeyId as string;
  agreementKeyId = (await perform('CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })).KeyMetadata.KeyId as string;
  ciphertext = base64((await perform('Encrypt', { KeyId: keyId, Plaintext: base64('for the enclave') })).CiphertextBlob);
});

/** Inputs of the five operations whose API has a Recipient, and the member that they answer with otherwise. */
function inputs(): readonly [string, object, string][] {
  return [
    ['Decrypt', { CiphertextBlob: ciphertext }, 'Plaintext'],
    ['GenerateDataKey', { KeyId: keyId, KeySpec: 'AES_256' }, 'Plaintext'],
    ['GenerateDataKeyPair', { KeyId: keyId, KeyPairSpec: 'ECC_NIST_P256' }, 'PrivateKeyPlaintext'],
    ['GenerateRandom', { NumberOfBytes: 24 }, 'Plaintext'],
    ['DeriveSharedSecret', { KeyId: agreementKeyId, PublicKey: peerKey, KeyAgreementAlgorithm: 'ECDH' }, 'SharedSecret'],
  ];
}

describe('an attested request', () => {
  test('is answered in CiphertextForRecipient, with neither the member in clear nor KeyMaterialId', async () => {
    for (const [operation, input, member] of inputs()) {
      const clear = await perform(operation, input);
      expect(clear).not.toHaveProperty('CiphertextForRecipient');
      const sealed = await perform(operation, { ...input, ...recipientOf() });
      const expected = Object.keys(clear).filter((name) => name !== member && name !== 'KeyMaterialId');
      expect(Object.keys(sealed).sort(), operation).toEqual([...expected, 'CiphertextForRecipient'].sort());
      expect(sealed.CiphertextForRecipient.length).toBeLessThanOrEqual(6_144);
    }
  });

  test('opens a ciphertext for the recipient', async () => {
    const { CiphertextForRecipient } = await perform('Decrypt', { CiphertextBlob: ciphertext, ...recipientOf() });
    expect(Buffer.from(openEnvelopedData(CiphertextForRecipient, privateKey)).toString()).toBe('for the enclave');
    const { privateKey: other } = recipientKey();
    expect(Buffer.from(tryOpen(CiphertextForRecipient, other)).toString()).not.toBe('for the enclave');
  });

  test('makes a data key whose sealed copy opens to what the recipient got', async () => {
    const made = await perform('GenerateDataKey', { KeyId: keyId, NumberOfBytes: 1_024, ...recipientOf() });
    const { Plaintext } = await perform('Decrypt', { CiphertextBlob: base64(made.CiphertextBlob) });
    expect(openEnvelopedData(made.CiphertextForRecipient, privateKey)).toEqual(Uint8Array.from(Plaintext));
  });

  test('makes a key pair whose private key only the recipient has', async () => {
    const made = await perform('GenerateDataKeyPair', { KeyId: keyId, KeyPairSpec: 'RSA_2048', ...recipientOf() });
    const pkcs8 = Buffer.from(openEnvelopedData(made.CiphertextForRecipient, privateKey));
    const found = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
    expect(found.export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(made.PublicKey));
  });

  test('draws random bytes, others each time', async () => {
    const drawn = await Promise.all([1, 2].map(async () => perform('GenerateRandom', { NumberOfBytes: 32, ...recipientOf() })));
    const digests = drawn.map(({ CiphertextForRecipient }) => openEnvelopedData(CiphertextForRecipient, privateKey)).map(sha256);
    expect(new Set(digests).size).toBe(2);
  });

  test('agrees on the secret that its peer computes', async () => {
    const [, input] = inputs()[4] as [string, object, string];
    const { SharedSecret } = await perform('DeriveSharedSecret', input);
    const { CiphertextForRecipient } = await perform('DeriveSharedSecret', { ...input, ...recipientOf() });
    expect(openEnvelopedData(CiphertextForRecipient, privateKey)).toEqual(Uint8Array.from(SharedSecret));
  });

  test('in a dry run verifies the document and answers nothing', async () => {
    for (const [operation, input] of inputs().filter(([name]) => name !== 'GenerateRandom')) {
      const dry = { ...input, DryRun: true };
      await expect(perform(operation, { ...dry, ...recipientOf() })).rejects.toMatchObject({ code: 'DryRunOperationException' });
      const forged = recipientOf({ AttestationDocument: base64('forged') });
      await expect(perform(operation, { ...dry, ...forged })).rejects.toMatchObject({ code: 'ValidationException' });
    }
  });
});

describe('a request with a Recipient is refused', () => {
  test('with the reason, for a document that is not believed', async () => {
    const stranger = attestationDocument(nitroPki(systemClock.nowMs()), systemClock.nowMs(), publicKey);
    const reason = 'The attestation document was refused: its certificates do not begin with the configured root.';
    for (const [operation, input] of inputs()) {
      const request = perform(operation, { ...input, ...recipientOf({ AttestationDocument: base64(stranger) }) });
      await expect(request).rejects.toMatchObject(refusal('ValidationException', reason));
    }
  });

  test('before its key is looked up, so that nothing of the key shows', async () => {
    const input = { KeyId: '00000000-0000-4000-8000-000000000000', KeySpec: 'AES_256' };
    const forged = recipientOf({ AttestationDocument: base64('forged') });
    await expect(perform('GenerateDataKey', { ...input, ...forged })).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(perform('GenerateDataKey', { ...input, ...recipientOf() })).rejects.toMatchObject({ code: 'NotFoundException' });
  });

  test('when it lacks the document or the algorithm', async () => {
    for (const member of ['attestationDocument', 'keyEncryptionAlgorithm']) {
      const absent = `${member.slice(0, 1).toUpperCase()}${member.slice(1)}`;
      const text = `1 validation error detected: Value null at 'recipient.${member}' failed to satisfy constraint: Member must not be null`;
      const request = perform('GenerateRandom', { NumberOfBytes: 1, ...recipientOf({ [absent]: undefined }) });
      await expect(request).rejects.toMatchObject(refusal('ValidationException', text));
    }
  });

  test('with what to do, when no root is configured', async () => {
    const request = perform('GenerateRandom', { NumberOfBytes: 1, ...recipientOf() }, rootless);
    const words = expect.stringContaining('Set attestation.rootCertificateFile in the configuration');
    await expect(request).rejects.toMatchObject(refusal('UnsupportedOperationException', words));
  });
});

/** OpenSSL answers a wrong key with nothing, or with random bytes (RFC 3218: no oracle). */
function tryOpen(cms: Uint8Array, key: Parameters<typeof openEnvelopedData>[1]): Uint8Array {
  try {
    return openEnvelopedData(cms, key);
  } catch {
    return new Uint8Array();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
