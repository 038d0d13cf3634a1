/**
 * The AWS Encryption SDK for JavaScript with our keys: what it makes of data keys, contexts, several keys and its cache, and what it can
 * no longer open. Its own messages are the judge: they carry our ciphertexts and open years later.
 */
import { randomBytes } from 'node:crypto';
import {
  CommitmentPolicy,
  KmsKeyringNode,
  MultiKeyringNode,
  NodeCachingMaterialsManager,
  buildClient,
  getLocalCryptographicMaterialsCache,
} from '@aws-crypto/client-node';
import { KMS } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
type ClientProvider = NonNullable<ConstructorParameters<typeof KmsKeyringNode>[0]>['clientProvider'] & object;

const region = 'us-east-1';
const encryptionContext = { purpose: 'backup', stage: 'demo' };

describe.each(['softhsm', 'software'] as const)('the AWS Encryption SDK over %s', (store) => {
  let daemon: RunningDaemon;
  let client: KMS;
  /** Operations that the SDK asked of the service since the test began. */
  let asked: string[];

  beforeAll(async () => {
    daemon = await startDaemon({ store, auth: 'sigv4' });
    client = new KMS({ endpoint: daemon.endpoint, region, credentials: daemon.credentials, maxAttempts: 1 });
    client.middlewareStack.add((next, { commandName }) => (input) => {
      asked.push(String(commandName).replace('Command', ''));
      return next(input);
    });
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
  });

  const createKey = async (): Promise<string> => (await client.createKey({})).KeyMetadata?.Arn ?? '';
  // The two SDKs do not agree on optional members that may be undefined.
  const clientProvider = (() => client) as unknown as ClientProvider;
  /** The first key makes the data key, all of them seal it. */
  const keyring = (generatorKeyId: string, ...keyIds: string[]): KmsKeyringNode =>
    new KmsKeyringNode({ generatorKeyId, keyIds, clientProvider });
  /** Opens what any of the keys has sealed; makes nothing. */
  const opener = (...keyIds: string[]): KmsKeyringNode => new KmsKeyringNode({ keyIds, clientProvider });

  it.each([0, 1, 4096, 1_000_000])('a message of %i bytes opens again, and carries its context and the ARN of its key', async (length) => {
    const key = await createKey();
    const plaintext = randomBytes(length);
    const { result } = await encrypt(keyring(key), plaintext, { encryptionContext, frameLength: 4096 });
    const opened = await decrypt(keyring(key), result);
    expect(Buffer.compare(opened.plaintext, plaintext)).toBe(0);
    expect(opened.messageHeader.encryptionContext).toMatchObject(encryptionContext);
    expect(opened.messageHeader.encryptedDataKeys).toMatchObject([{ providerId: 'aws-kms', providerInfo: key }]);
  });

  it('a message opens for whoever may use its key, found by the ARN in the message', async () => {
    const key = await createKey();
    const { result } = await encrypt(keyring(key), 'found');
    const discoveryFilter = { accountIDs: [daemon.credentials.account], partition: 'aws' };
    const opened = await decrypt(new KmsKeyringNode({ discovery: true, discoveryFilter, clientProvider }), result);
    expect(opened.plaintext.toString()).toBe('found');
    const strangers = { accountIDs: ['999988887777'], partition: 'aws' };
    await expect(decrypt(new KmsKeyringNode({ discovery: true, discoveryFilter: strangers, clientProvider }), result)).rejects.toThrow();
  });

  it('a message does not open under another key', async () => {
    const [key, other] = [await createKey(), await createKey()];
    const { result } = await encrypt(keyring(key), 'mine');
    await expect(decrypt(keyring(other), result)).rejects.toThrow();
    // The message now claims to be of the other key: the service is asked, and says no.
    const claimed = replaced(result, key, other);
    asked = [];
    await expect(decrypt(keyring(other), claimed)).rejects.toThrow('IncorrectKeyException');
    expect(asked).toEqual(['Decrypt']);
  });

  it('a message whose context was changed does not open', async () => {
    const key = await createKey();
    const { result } = await encrypt(keyring(key), 'bound', { encryptionContext });
    asked = [];
    await expect(decrypt(keyring(key), replaced(result, 'demo', 'prod'))).rejects.toThrow('InvalidCiphertextException');
    expect(asked).toEqual(['Decrypt']);
  });

  it('a message of two keys opens with either, also while the other is disabled', async () => {
    const [first, second] = [await createKey(), await createKey()];
    const { result } = await encrypt(keyring(first, second), 'shared', { encryptionContext });
    expect(asked.toSorted()).toEqual(['CreateKey', 'CreateKey', 'Encrypt', 'GenerateDataKey']);
    expect((await decrypt(opener(first), result)).plaintext.toString()).toBe('shared');
    await client.disableKey({ KeyId: first });
    await expect(decrypt(opener(first), result)).rejects.toThrow('DisabledException');
    expect((await decrypt(opener(first, second), result)).plaintext.toString()).toBe('shared');
  });

  it('keyrings of several keys join into one', async () => {
    const [first, second] = [await createKey(), await createKey()];
    const both = new MultiKeyringNode({ generator: keyring(first), children: [opener(second)] });
    const { result } = await encrypt(both, 'joined');
    for (const one of [opener(first), opener(second)]) expect((await decrypt(one, result)).plaintext.toString()).toBe('joined');
  });

  it('the caching materials manager asks once for many messages of a context, and again for another context', async () => {
    const materials = new NodeCachingMaterialsManager({
      backingMaterials: keyring(await createKey()),
      cache: getLocalCryptographicMaterialsCache(100),
      maxAge: 60_000,
      maxMessagesEncrypted: 100,
      partition: 'test',
    });
    asked = [];
    const messages: Buffer[] = [];
    for (let count = 0; count < 10; count += 1) {
      // The plaintext's length lets the SDK know that the cached key still has room for it.
      messages.push((await encrypt(materials, `message ${count}`, { encryptionContext, plaintextLength: 16 })).result);
    }
    expect(asked).toEqual(['GenerateDataKey']);
    await encrypt(materials, 'another', { encryptionContext: { stage: 'other' }, plaintextLength: 16 });
    expect(asked).toEqual(['GenerateDataKey', 'GenerateDataKey']);
    for (const [count, message] of messages.entries()) {
      expect((await decrypt(materials, message)).plaintext.toString()).toBe(`message ${count}`);
    }
    expect(asked.filter((name) => name === 'Decrypt')).toHaveLength(1);
  });
});

/** `message` with the first occurrence of a text replaced by one of the same length. */
function replaced(message: Buffer, text: string, by: string): Buffer {
  const at = message.indexOf(text);
  if (at === -1 || text.length !== by.length) throw new Error(`the message does not hold ${text} in the clear`);
  const changed = Buffer.from(message);
  changed.write(by, at);
  return changed;
}
