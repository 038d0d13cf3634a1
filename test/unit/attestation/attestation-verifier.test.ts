import { generateKeyPairSync } from 'node:crypto';
import { KeyUsageFlags } from '@peculiar/asn1-x509';
import { encode } from 'cborg';
import { anything, assert, asyncProperty, constant, constantFrom, nat, oneof, pre, record, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { imageSha384 } from '../../../src/attestation/attestation.ts';
import { ageMsMax, attestationVerifier } from '../../../src/attestation/attestation-verifier.ts';
import type { AttestationVerifier } from '../../../src/attestation/attestation-verifier.ts';
import { rootCertificate } from '../../../src/attestation/certificate-path.ts';
import { attestationDocument, issueCertificate, nitroPki, pemOf, publicHalf, recipientKey } from '../../support/attestation-documents.ts';
import type { DocumentChanges } from '../../support/attestation-documents.ts';
import { MovedClock, refusal } from '../../support/kms-fixture.ts';

const clock = new MovedClock();
const nowMs = clock.nowMs();
const pki = nitroPki(nowMs);
const { publicKey } = recipientKey();
const verifier = attestationVerifier(pki.root, clock);

function made(changes: DocumentChanges = {}): Uint8Array {
  return attestationDocument(pki, nowMs, publicKey, changes);
}

function changePcr8(payload: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(payload);
  changed[Buffer.from(payload).indexOf(Buffer.alloc(48, 0xa8))] = 0xa9;
  return changed;
}

function refusedFor(reason: string): object {
  return refusal('ValidationException', expect.stringContaining(`The attestation document was refused: ${reason}`));
}

/** Expects a document to be refused with a reason that begins as given. */
async function expectRefused(document: Uint8Array, reason: string, by: AttestationVerifier = verifier): Promise<void> {
  await expect(by.verify(document)).rejects.toMatchObject(refusedFor(reason));
}

/** Expects the same of a good document under a path whose certificates are changed. */
async function expectPathRefused(changes: Parameters<typeof nitroPki>[1], reason: string): Promise<void> {
  const changed = nitroPki(nowMs, changes);
  await expectRefused(attestationDocument(changed, nowMs, publicKey), reason, attestationVerifier(changed.root, clock));
}

describe('a document that Nitro made', () => {
  test.each([
    { tagged: false, definite: false },
    { tagged: false, definite: true },
    { tagged: true, definite: false },
  ])('is believed, with its claims (COSE tag: $tagged, definite length: $definite)', async (form) => {
    const attestation = await verifier.verify(made(form));
    expect(attestation).toMatchObject({
      platform: 'nitro-enclave',
      moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
      madeAtMs: nowMs,
      publicKey,
    });
    expect([...attestation.pcrs.keys()]).toEqual([0, 1, 2, 3, 4, 8]);
    expect(attestation.pcrs.get(8)).toBe('a8'.repeat(48));
    expect(imageSha384(attestation)).toBe('a0'.repeat(48));
  });

  test('may measure the boot of an instance, and then measures no image', async () => {
    const nitrotpm_pcrs = new Map([[0, new Uint8Array(48).fill(7)]]);
    const attestation = await verifier.verify(made({ claims: { pcrs: undefined, nitrotpm_pcrs } }));
    expect(attestation).toMatchObject({ platform: 'nitro-tpm', pcrs: new Map([[0, '07'.repeat(48)]]) });
    expect(imageSha384(attestation)).toBeUndefined();
  });

  test('may carry user data and a nonce', async () => {
    const claims = { user_data: new Uint8Array(512), nonce: new Uint8Array(1) };
    await expect(verifier.verify(made({ claims }))).resolves.toMatchObject({ madeAtMs: nowMs });
  });
});

describe('a document is refused', () => {
  test('when a PCR was changed after it was signed', async () => {
    await expectRefused(made({ tamper: changePcr8 }), 'its signature does not verify');
  });

  test('when another key signed it', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    await expectRefused(made({ signer: privateKey }), 'its signature does not verify');
  });

  test('when its path begins with another root', async () => {
    const other = nitroPki(nowMs);
    await expectRefused(attestationDocument(other, nowMs, publicKey), 'its certificates do not begin with the configured root');
    const bundle = { cabundle: [pki.root, ...other.authorities.slice(1).map(({ der }) => der)] };
    await expectRefused(attestationDocument(other, nowMs, publicKey, { claims: bundle }), 'its certificates do not prove each other');
  });

  test('when its path leaves an authority out, or has them in another order', async () => {
    const [root, zone, instance] = pki.authorities.map(({ der }) => der) as [Uint8Array, Uint8Array, Uint8Array];
    await expectRefused(made({ claims: { cabundle: [root, zone] } }), 'its certificates do not prove each other');
    await expectRefused(made({ claims: { cabundle: [root, instance, zone] } }), 'its certificates do not prove each other');
  });

  test('when a certificate was changed', async () => {
    const certificate = Uint8Array.from(pki.signer.der);
    certificate[certificate.length - 1] = (certificate[certificate.length - 1] ?? 0) ^ 1;
    await expectRefused(made({ claims: { certificate } }), 'its certificates do not prove each other');
  });

  test('when a certificate has expired or is not valid yet', async () => {
    const reason = 'one of its certificates is not valid at this time';
    await expectPathRefused({ signer: { notAfter: new Date(nowMs - 1_000) } }, reason);
    await expectPathRefused({ zone: { notAfter: new Date(nowMs - 1_000) } }, reason);
    await expectPathRefused({ root: { notAfter: new Date(nowMs - 1_000) } }, reason);
    await expectPathRefused({ signer: { notBefore: new Date(nowMs + 1_000) } }, reason);
  });

  test('when one that is no authority issued a certificate', async () => {
    const reason = 'one of its certificates signs others without being an authority';
    await expectPathRefused({ instance: { authority: false } }, reason);
    await expectPathRefused({ instance: { keyUsage: KeyUsageFlags.digitalSignature } }, reason);
    const below = issueCertificate('below', pki.signer, nowMs, { keyUsage: KeyUsageFlags.digitalSignature });
    const claims = { certificate: below.der, cabundle: [...pki.authorities, pki.signer].map(({ der }) => der) };
    await expectRefused(made({ claims, signer: below.privateKey }), 'its certificate path is too long');
  });

  test('when its path is longer than an authority allows', async () => {
    await expectPathRefused({ zone: { pathLength: 0 } }, 'its certificate path is too long');
  });

  test('when its signer is an authority, or its key is not for signatures', async () => {
    const reason = 'the certificate of its signer is not one for signatures';
    await expectPathRefused({ signer: { authority: true } }, reason);
    await expectPathRefused({ signer: { keyUsage: KeyUsageFlags.keyEncipherment } }, reason);
  });

  test('when a certificate is of another curve or has an unknown critical extension', async () => {
    await expectPathRefused({ instance: { curve: 'P-256' } }, 'one of its certificates is not of P-384 and SHA-384');
    await expectPathRefused({ instance: { criticalExtension: '2.5.29.30' } }, 'one of its certificates has an unknown critical extension');
  });

  test('when it is older than five minutes, or of the future', async () => {
    for (const madeAtMs of [nowMs - ageMsMax - 1, nowMs + ageMsMax + 1]) {
      await expectRefused(attestationDocument(pki, madeAtMs, publicKey), 'it is not of the last five minutes');
    }
    for (const madeAtMs of [nowMs - ageMsMax, nowMs + ageMsMax]) {
      await expect(verifier.verify(attestationDocument(pki, madeAtMs, publicKey))).resolves.toMatchObject({ madeAtMs });
    }
  });

  test('when it holds no public key', async () => {
    await expectRefused(attestationDocument(pki, nowMs, null), 'it holds no public_key');
    await expectRefused(made({ claims: { public_key: undefined } }), 'it holds no public_key');
  });

  test.each([
    ['RSA of 1024 bits', () => recipientKey(1_024).publicKey],
    ['an elliptic curve', () => publicHalf(pki.signer.privateKey)],
    ['SM2', () => generateKeyPairSync('ec', { namedCurve: 'SM2' }).publicKey.export({ type: 'spki', format: 'der' })],
    ['no key', () => new Uint8Array(294)],
  ])('when its public key is %s', async (_, key) => {
    await expectRefused(attestationDocument(pki, nowMs, key()), 'its public_key is not an RSA key');
  });

  test('when it is longer than any document', async () => {
    await expectRefused(made({ claims: { padding: new Uint8Array(16_384) } }), 'it');
    await expectRefused(new Uint8Array(262_144).fill(0x81), 'it is longer than 17408 bytes');
  });

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'it is not CBOR'],
    ['half a document', made().subarray(0, 2_000), 'it is not CBOR'],
    ['a document with something after it', Uint8Array.of(...made(), 0), 'it is not CBOR'],
    ['very deep lists', new Uint8Array(17_000).fill(0x81), 'it is not CBOR'],
    ['a text of indefinite length', Uint8Array.of(0x7f, 0xff), 'it is not CBOR'],
    ['an empty list of indefinite length', Uint8Array.of(0x9f, 0xff), 'it is not a COSE_Sign1 structure'],
    ['very deep lists of indefinite length', new Uint8Array(17_000).fill(0x9f), 'it is not CBOR'],
    ['a number', encode(1), 'it is not a COSE_Sign1 structure'],
    ['a list of three', encode([new Uint8Array(), new Map(), new Uint8Array()]), 'it is not a COSE_Sign1 structure'],
  ])('when it is %s', async (_, document, reason) => {
    await expectRefused(document, reason);
  });

  test.each<[string, DocumentChanges, string]>([
    ['another algorithm', { protectedHeader: new Map([[1, -7]]) }, 'it is not signed with ES384'],
    ['no algorithm', { protectedHeader: new Map() }, 'it is not signed with ES384'],
    ['an unprotected header', { unprotectedHeader: new Map([[1, -35]]) }, 'its headers are not those of COSE_Sign1'],
  ])('when its envelope names %s', async (_, changes, reason) => {
    await expectRefused(made(changes), reason);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an empty module_id', { module_id: '' }, 'its module_id'],
    ['another digest', { digest: 'SHA256' }, 'its digest'],
    ['no timestamp', { timestamp: null }, 'its timestamp'],
    ['a timestamp beyond 2^53', { timestamp: 2n ** 60n }, 'its timestamp'],
    ['no PCRs', { pcrs: new Map() }, 'its PCRs'],
    ['PCRs of both kinds', { nitrotpm_pcrs: new Map() }, 'it has not exactly one of pcrs and nitrotpm_pcrs'],
    ['PCR 32', { pcrs: new Map([[32, new Uint8Array(48)]]) }, 'a PCR has an impossible number'],
    ['a PCR with a name', { pcrs: new Map([['0', new Uint8Array(48)]]) }, 'a PCR has an impossible number'],
    ['a short PCR', { pcrs: new Map([[0, new Uint8Array(47)]]) }, 'a PCR has an impossible length'],
    ['no authorities', { cabundle: [] }, 'its cabundle'],
    ['nine authorities', { cabundle: Array.from({ length: 9 }, () => pki.root) }, 'its cabundle'],
    ['a certificate of text', { certificate: 'PEM' }, 'a certificate is not a byte string'],
    ['a certificate that is none', { certificate: new Uint8Array(500) }, 'one of its certificates is not X.509'],
    ['a certificate in PEM', { certificate: new TextEncoder().encode(pemOf(pki.signer.der)) }, 'one of its certificates is not'],
    ['a certificate with a tail', { certificate: Uint8Array.of(...pki.signer.der, 0) }, 'one of its certificates is not'],
    ['a long nonce', { nonce: new Uint8Array(1_025) }, 'its nonce'],
    ['user data that is text', { user_data: 'text' }, 'its user_data'],
  ])('when its claims hold %s', async (_, claims, reason) => {
    await expectRefused(made({ claims }), reason);
  });
});

test('no mutation of a document is ever believed, or takes long', async () => {
  const document = made();
  const mutation = oneof(
    record({ at: nat(document.length - 1), bytes: uint8Array({ minLength: 1, maxLength: 8 }), remove: constantFrom(0, 1, 8) }),
    record({ at: nat(document.length - 1), bytes: constant(new Uint8Array()), remove: nat(document.length) }),
  );
  await assert(
    asyncProperty(mutation, async ({ at, bytes, remove }) => {
      const mutated = Uint8Array.of(...document.subarray(0, at), ...bytes, ...document.subarray(at + remove));
      pre(Buffer.compare(mutated, document) !== 0);
      const startedMs = performance.now();
      await expect(verifier.verify(mutated)).rejects.toMatchObject(refusedFor(''));
      // Signature checks take milliseconds; the rest of the bound is for a busy machine.
      expect(performance.now() - startedMs).toBeLessThan(1_000);
    }),
    { numRuns: 500 },
  );
});

test('no claims that a signer vouches for crash the verifier', async () => {
  const claim = oneof(anything({ maxDepth: 2 }), uint8Array({ maxLength: 64 }), constant(pki.signer.der), constant([pki.root]));
  const names = constantFrom('module_id', 'digest', 'timestamp', 'pcrs', 'nitrotpm_pcrs', 'certificate', 'cabundle', 'public_key', 'nonce');
  await assert(
    asyncProperty(names, claim, async (name, value) => {
      const document = encodable({ [name]: value });
      pre(document !== undefined);
      await verifier.verify(document ?? new Uint8Array()).catch((error: unknown) => expect(error).toMatchObject(refusedFor('')));
    }),
    { numRuns: 300 },
  );
});

/** Undefined for values that CBOR cannot carry. */
function encodable(claims: Record<string, unknown>): Uint8Array | undefined {
  try {
    return made({ claims });
  } catch {
    return undefined;
  }
}

describe('a root certificate', () => {
  test('is read from PEM', () => {
    expect(rootCertificate(Buffer.from(pki.rootPem))).toEqual(pki.root);
  });

  test('is that of a P-384 authority', () => {
    expect(() => rootCertificate(Buffer.from(pemOf(pki.signer.der)))).toThrow('not the certificate of a P-384');
    const p256 = issueCertificate('root', undefined, nowMs, { authority: true, curve: 'P-256' });
    expect(() => rootCertificate(Buffer.from(pemOf(p256.der)))).toThrow('not the certificate of a P-384');
  });
});
