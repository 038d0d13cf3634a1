/**
 * Whatever a key store makes it takes back, and nothing that differs from it by any change: one error for each kind of thing, and never
 * another.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KmsError } from '../../src/errors.ts';
import { openKms, type Kms } from '../../src/kms.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';
import { keyStoreSubjects, type OpenSubject } from '../support/key-store-subjects.ts';
import { base64, callerOf, MovedClock, partsOver } from '../support/kms-fixture.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { context, mutation, twoContexts, type Mutation } from '../support/mutations.ts';
import { propertyRuns } from '../support/property-runs.ts';

const names = [
  'software',
  'fake token, resident, derived',
  'fake token, wrapped, direct, no derivation',
  'SoftHSM, resident, derived',
  'SoftHSM, wrapped, direct',
];
const subjects = keyStoreSubjects.filter(({ name }) => names.includes(name));

const messages = fc.uint8Array({ minLength: 1, maxLength: 200 });
const signers = [
  { keySpec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256' },
  { keySpec: 'ECC_NIST_P521', algorithm: 'ECDSA_SHA_512' },
  { keySpec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512' },
  { keySpec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256' },
  { keySpec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256' },
  { keySpec: 'ML_DSA_44', algorithm: 'ML_DSA_SHAKE_256' },
] as const;

/** Of a blob: version, suite, partition, account and key id come before material id, nonce, IV, ciphertext and tag. */
const afterKeyBytes = 32 + 16 + 12 + 16;
const beforeKeyBytes = 7;

/** The code of the error that a request ends with. */
function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'accepted',
    (error: unknown) => (error instanceof KmsError ? error.code : String(error)),
  );
}

describe.each(subjects)('keys in $name', (subject) => {
  let place: OpenSubject | undefined;
  let keyStore: KeyStore;
  let kms: Kms;
  const keys = new Map<string, Promise<string>>();

  beforeAll(async () => {
    if (!subject.available()) return;
    place = await subject.open();
    keyStore = await place.openStore();
    kms = openKms(partsOver(new MemoryStore(), keyStore, new MovedClock()));
  });
  afterAll(async () => {
    if (place === undefined) return;
    await keyStore.close();
    await place.close();
  });

  // oxlint-disable-next-line typescript/no-explicit-any
  const perform = (operation: string, input: object): Promise<any> => kms.perform(operation, input, callerOf());
  /** One key of each spec and usage for all properties. */
  function keyOf(KeySpec: string, KeyUsage: string): Promise<string> {
    const key =
      keys.get(KeySpec + KeyUsage) ?? perform('CreateKey', { KeySpec, KeyUsage }).then(({ KeyMetadata }) => KeyMetadata.KeyId as string);
    keys.set(KeySpec + KeyUsage, key);
    return key;
  }
  const symmetricKey = (): Promise<string> => keyOf('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
  const serves = (keySpec: string): boolean => keyStore.describe().keySpecs?.includes(keySpec) === true;

  const runs = (): fc.Parameters<unknown> => propertyRuns(subject.real ? { quick: 10, full: 100 } : { quick: 40, full: 500 });
  const rule = (name: string, work: (skip: () => void) => Promise<void>): void =>
    it.skipIf(!subject.available())(name, { timeout: 600_000 }, ({ skip }) => work(skip));

  async function encrypt(KeyId: string, Plaintext: Uint8Array, EncryptionContext: object): Promise<Uint8Array> {
    return (await perform('Encrypt', { KeyId, Plaintext: base64(Plaintext), EncryptionContext })).CiphertextBlob;
  }

  rule('open every ciphertext that they made, whatever is in it and around it', async () => {
    const KeyId = await symmetricKey();
    const plaintexts = fc.uint8Array({ minLength: 1, maxLength: 4096, size: 'max' });
    await fc.assert(
      fc.asyncProperty(plaintexts, context(), fc.boolean(), async (plaintext, EncryptionContext, isNamed) => {
        const CiphertextBlob = base64(await encrypt(KeyId, plaintext, EncryptionContext));
        const opened = await perform('Decrypt', { CiphertextBlob, EncryptionContext, ...(isNamed && { KeyId }) });
        expect(Buffer.compare(opened.Plaintext as Uint8Array, plaintext)).toBe(0);
      }),
      runs(),
    );
  });

  rule('open no ciphertext that was changed', async () => {
    const KeyId = await symmetricKey();
    const plaintexts = fc.uint8Array({ minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(plaintexts, context(), mutation, fc.boolean(), async (plaintext, EncryptionContext, mutate, isNamed) => {
        const blob = await encrypt(KeyId, plaintext, EncryptionContext);
        const changed = different(blob, mutate);
        const code = await codeOf(perform('Decrypt', { CiphertextBlob: base64(changed), EncryptionContext, ...(isNamed && { KeyId }) }));
        // Where the blob says whose it is, it may now say that it is another key's.
        const ofAnotherKey = isNamed ? 'IncorrectKeyException' : 'AccessDeniedException';
        expect(
          namesAnotherKey(blob, changed, plaintext.length) ? ['InvalidCiphertextException', ofAnotherKey] : ['InvalidCiphertextException'],
        ).toContain(code);
      }),
      runs(),
    );
  });

  rule('open no ciphertext with another context', async () => {
    const KeyId = await symmetricKey();
    await fc.assert(
      fc.asyncProperty(twoContexts, async ([first, second]) => {
        const CiphertextBlob = base64(await encrypt(KeyId, Uint8Array.of(1), first));
        const code = await codeOf(perform('Decrypt', { CiphertextBlob, EncryptionContext: second }));
        expect(code).toBe('InvalidCiphertextException');
      }),
      runs(),
    );
  });

  rule('verify every code that they made, and none that was changed', async (skip) => {
    if (!serves('HMAC_256')) return skip();
    const about = { KeyId: await keyOf('HMAC_256', 'GENERATE_VERIFY_MAC'), MacAlgorithm: 'HMAC_SHA_256' };
    await fc.assert(
      fc.asyncProperty(messages, mutation, mutation, async (message, mutateCode, mutateMessage) => {
        const request = { ...about, Message: base64(message) };
        const code = (await perform('GenerateMac', request)).Mac as Uint8Array;
        const verify = (changes: object): Promise<string> => codeOf(perform('VerifyMac', { ...request, Mac: base64(code), ...changes }));
        expect(await verify({})).toBe('accepted');
        expect(await verify({ Mac: base64(different(code, mutateCode)) })).toBe('KMSInvalidMacException');
        expect(await verify({ Message: base64(different(message, mutateMessage)) })).toBe('KMSInvalidMacException');
      }),
      runs(),
    );
  });

  for (const { keySpec, algorithm } of signers) {
    rule(`verify every signature of ${algorithm} under ${keySpec} that they made, and none that was changed`, async (skip) => {
      if (!serves(keySpec)) return skip();
      const about = { KeyId: await keyOf(keySpec, 'SIGN_VERIFY'), SigningAlgorithm: algorithm };
      await fc.assert(
        fc.asyncProperty(messages, mutation, mutation, async (message, mutateSignature, mutateMessage) => {
          const request = { ...about, Message: base64(message) };
          const signature = (await perform('Sign', request)).Signature as Uint8Array;
          const verify = (changes: object): Promise<string> =>
            codeOf(perform('Verify', { ...request, Signature: base64(signature), ...changes }));
          expect(await verify({})).toBe('accepted');
          expect(await verify({ Signature: base64(different(signature, mutateSignature)) })).toBe('KMSInvalidSignatureException');
          expect(await verify({ Message: base64(different(message, mutateMessage)) })).toBe('KMSInvalidSignatureException');
        }),
        runs(),
      );
    });
  }

  rule('open every RSA ciphertext, and none that was changed', async (skip) => {
    if (!serves('RSA_2048')) return skip();
    const about = { KeyId: await keyOf('RSA_2048', 'ENCRYPT_DECRYPT'), EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' };
    const plaintexts = fc.uint8Array({ minLength: 1, maxLength: 214 });
    await fc.assert(
      fc.asyncProperty(plaintexts, mutation, async (plaintext, mutate) => {
        const sealed = (await perform('Encrypt', { ...about, Plaintext: base64(plaintext) })).CiphertextBlob as Uint8Array;
        const opened = await perform('Decrypt', { ...about, CiphertextBlob: base64(sealed) });
        expect(Buffer.compare(opened.Plaintext as Uint8Array, plaintext)).toBe(0);
        const CiphertextBlob = base64(different(sealed, mutate));
        expect(await codeOf(perform('Decrypt', { ...about, CiphertextBlob }))).toBe('InvalidCiphertextException');
      }),
      runs(),
    );
  });
});

/** The changed bytes; another case is tried where the change left them as they were, or longer than a request takes. */
function different(bytes: Uint8Array, mutate: Mutation): Uint8Array {
  const changed = mutate(bytes);
  fc.pre(Buffer.compare(bytes, changed) !== 0 && changed.length > 0 && changed.length <= 4096);
  return changed;
}

/** True when the change may have fallen on partition, account or key id. */
function namesAnotherKey(blob: Uint8Array, changed: Uint8Array, plaintextBytes: number): boolean {
  const at = blob.findIndex((byte, index) => byte !== changed[index]);
  return at >= beforeKeyBytes && at < blob.length - plaintextBytes - afterKeyBytes;
}
