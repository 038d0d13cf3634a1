/**
 * What lies in the memory of the daemon. The test knows the keys of SoftHSM because it reads its files with the PIN, proves that they are
 * the keys in use, and looks for their bytes in every page of the process.
 */
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KMS, type CreateKeyCommandInput } from '@aws-sdk/client-kms';
import { afterEach, describe, expect, it } from 'vitest';
import { WRAPPING_KEY_LABEL } from '../../src/token/service-keys.ts';
import { wrapMaterial } from '../support/customer-material.ts';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';
import { makeKeys, type KeysInUse } from '../support/keys-in-use.ts';
import { countInMemory } from '../support/process-memory.ts';
import { readKeys, type StoredKey } from '../support/softhsm-files.ts';

const region = 'us-east-1';
const scansUnderLoad = 3;
const callersUnderLoad = 8;

let daemon: RunningDaemon | undefined;
let client: KMS | undefined;
afterEach(async () => {
  client?.destroy();
  await daemon?.stop();
});

function connect({ endpoint, credentials }: RunningDaemon): KMS {
  client = new KMS({ endpoint, region, credentials });
  return client;
}

/** The keys of the daemon's token, and the PIN that opens it. */
function tokenSecrets(running: RunningDaemon): { readonly pin: Buffer; readonly keys: readonly StoredKey[] } {
  if (running.token === undefined) throw new Error('this daemon has no token');
  const pin = Buffer.from(readFileSync(running.token.pinFile, 'utf8').trim());
  const configuration = readFileSync(running.token.environment['SOFTHSM2_CONF'] ?? '', 'utf8');
  const folder = /^directories\.tokendir\s*=\s*(.*)$/m.exec(configuration)?.[1] ?? '';
  return { pin, keys: readKeys(folder, pin) };
}

/** Uses the keys from several callers at once until `done`. */
async function load(uses: KeysInUse, plaintext: Buffer, isDone: () => boolean): Promise<void> {
  const caller = async (): Promise<void> => {
    while (!isDone()) await uses.use(plaintext);
  };
  await Promise.all(Array.from({ length: callersUnderLoad }, caller));
}

describe.each(['softhsm', 'softhsm-direct'] as const)('the memory of a daemon over %s', (store) => {
  it('holds no key of the token and no PIN, at rest and under load, and holds what requests carry', async () => {
    daemon = await startDaemon({ store, auth: 'sigv4' });
    const kms = connect(daemon);
    const description = randomBytes(24).toString('hex');
    const plaintext = randomBytes(64);
    const uses = await makeKeys(kms, description);
    await uses.use(plaintext);
    const { pin, keys } = tokenSecrets(daemon);
    const { messageKey: key, material, others } = await uses.proven(keys);
    expect(new Set([material, ...others]).size).toBe(4);
    const secrets = {
      ...Object.fromEntries(keys.map(({ value }, index) => [`key ${index}`, value])),
      'key of the message': key,
      PIN: pin,
    };
    const none = Object.fromEntries(Object.keys(secrets).map((name) => [name, 0]));
    const sought = { ...secrets, description: Buffer.from(description), plaintext };

    const atRest = await countInMemory(daemon.pid, sought);
    expect(atRest).toMatchObject(none);
    expect(atRest.description).toBeGreaterThan(0);

    let scans = 0;
    let inFlight = 0;
    const loaded = load(uses, plaintext, () => scans === scansUnderLoad);
    for (; scans < scansUnderLoad; scans += 1) {
      const underLoad = await countInMemory(daemon.pid, sought);
      expect(underLoad).toMatchObject(none);
      inFlight += underLoad.plaintext;
    }
    await loaded;
    expect(inFlight).toBeGreaterThan(0);
    // The same search finds a key where SoftHSM keeps it: the wrapping key, which is no private object, in the token host.
    const [host = 0] = daemon.hostPids();
    const wrapping = keys.find(({ label }) => label === WRAPPING_KEY_LABEL)?.value ?? new Uint8Array(32);
    expect((await countInMemory(host, { wrapping })).wrapping).toBeGreaterThan(0);
  });
});

/** A key that the test knows because it made it. `parts` are what gives the key away. */
interface KnownMaterial {
  readonly key: CreateKeyCommandInput;
  readonly wrappingAlgorithm: 'RSAES_OAEP_SHA_1' | 'RSA_AES_KEY_WRAP_SHA_1';
  readonly bytes: Uint8Array;
  readonly parts: Readonly<Record<string, Uint8Array>>;
}

function knownMaterials(): readonly KnownMaterial[] {
  const [aes, mac] = [randomBytes(32), randomBytes(48)];
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const jwk = rsa.export({ format: 'jwk' });
  const part = (name: 'd' | 'p' | 'q'): Buffer => Buffer.from(jwk[name] ?? '', 'base64url');
  const pkcs8 = rsa.export({ format: 'der', type: 'pkcs8' });
  const parts = { pkcs8, exponent: part('d'), 'first prime': part('p'), 'second prime': part('q') };
  return [
    { key: {}, wrappingAlgorithm: 'RSAES_OAEP_SHA_1', bytes: aes, parts: { aes } },
    { key: { KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' }, wrappingAlgorithm: 'RSAES_OAEP_SHA_1', bytes: mac, parts: { mac } },
    { key: { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_1', bytes: pkcs8, parts },
  ];
}

describe.each(['softhsm', 'softhsm-wrapped'] as const)('the memory of a daemon over %s that imported keys', (store) => {
  it('holds nothing of them, after the import and after their use', async () => {
    daemon = await startDaemon({ store, auth: 'sigv4' });
    const kms = connect(daemon);
    const materials = knownMaterials();
    const ids: string[] = [];
    for (const { key, wrappingAlgorithm: WrappingAlgorithm, bytes } of materials) {
      const KeyId = (await kms.createKey({ ...key, Origin: 'EXTERNAL' })).KeyMetadata?.KeyId ?? '';
      const parameters = await kms.getParametersForImport({ KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' });
      await kms.importKeyMaterial({
        KeyId,
        ImportToken: parameters.ImportToken,
        EncryptedKeyMaterial: wrapMaterial(parameters.PublicKey ?? new Uint8Array(), WrappingAlgorithm, bytes),
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      });
      ids.push(KeyId);
    }
    const sought = Object.assign({}, ...materials.map(({ parts }) => parts)) as Record<string, Uint8Array>;
    const none = Object.fromEntries(Object.keys(sought).map((name) => [name, 0]));
    expect(await countInMemory(daemon.pid, sought)).toEqual(none);

    const [aes, mac, rsa] = ids;
    const { CiphertextBlob } = await kms.encrypt({ KeyId: aes, Plaintext: Buffer.from('x') });
    await kms.decrypt({ CiphertextBlob });
    const { Mac = new Uint8Array() } = await kms.generateMac({ KeyId: mac, Message: Buffer.from('x'), MacAlgorithm: 'HMAC_SHA_384' });
    // The key in the token is the one that is looked for.
    expect(Buffer.from(Mac)).toEqual(
      createHmac('sha384', materials[1]?.bytes ?? '')
        .update('x')
        .digest(),
    );
    await kms.sign({ KeyId: rsa, Message: Buffer.from('x'), SigningAlgorithm: 'RSASSA_PSS_SHA_256' });
    expect(await countInMemory(daemon.pid, sought)).toEqual(none);
  });
});

describe('the memory of a daemon with a software key store', () => {
  it('holds the root key once, however often keys were used', async () => {
    daemon = await startDaemon({ store: 'software', auth: 'sigv4' });
    const kms = connect(daemon);
    const rootKey = readFileSync(join(daemon.dataDirectory, 'root.key'));
    const [symmetric, codes, pair] = await Promise.all([
      kms.createKey({}),
      kms.createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
      kms.createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    ]);
    const digest = randomBytes(32);
    for (let count = 0; count < 20; count += 1) {
      await kms.encrypt({ KeyId: symmetric.KeyMetadata?.KeyId, Plaintext: digest });
      await kms.generateMac({ KeyId: codes.KeyMetadata?.KeyId, Message: digest, MacAlgorithm: 'HMAC_SHA_256' });
      const signing = { MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' } as const;
      await kms.sign({ KeyId: pair.KeyMetadata?.KeyId, Message: digest, ...signing });
    }
    expect(await countInMemory(daemon.pid, { rootKey })).toEqual({ rootKey: 1 });
  });
});

describe.each(['softhsm', 'software'] as const)('the memory of a daemon over %s, after its answers were sent', (store) => {
  it('holds nothing of the keys and secrets in them', async () => {
    daemon = await startDaemon({ store, auth: 'sigv4' });
    const kms = connect(daemon);
    const KeyId = (await kms.createKey({})).KeyMetadata?.KeyId;
    const agreeing = (await kms.createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })).KeyMetadata?.KeyId;
    const PublicKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({ format: 'der', type: 'spki' });
    const { CiphertextBlob } = await kms.generateDataKeyWithoutPlaintext({ KeyId, KeySpec: 'AES_256' });
    const answers = {
      dataKey: (await kms.generateDataKey({ KeyId, KeySpec: 'AES_256' })).Plaintext,
      longDataKey: (await kms.generateDataKey({ KeyId, NumberOfBytes: 1024 })).Plaintext,
      random: (await kms.generateRandom({ NumberOfBytes: 64 })).Plaintext,
      plaintext: (await kms.decrypt({ CiphertextBlob })).Plaintext,
      sharedSecret: (await kms.deriveSharedSecret({ KeyId: agreeing, KeyAgreementAlgorithm: 'ECDH', PublicKey })).SharedSecret,
      privateKey: (await kms.generateDataKeyPair({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })).PrivateKeyPlaintext,
    };
    // As bytes, and as the text of the response.
    const sought = Object.entries(answers).flatMap(([name, bytes = new Uint8Array()]) => [
      [name, bytes] as const,
      [`${name} in base64`, Buffer.from(Buffer.from(bytes).toString('base64'))] as const,
    ]);
    expect(sought.every(([, { length }]) => length >= 32)).toBe(true);
    await pause(100);
    const counts = await countInMemory(daemon.pid, Object.fromEntries(sought));
    expect(counts).toEqual(Object.fromEntries(sought.map(([name]) => [name, 0])));
  });
});
