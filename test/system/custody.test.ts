/**
 * Proof that keys stay inside: what an independent binding sees of the token's objects, what a thief of the PIN can do with
 * them (compared with what `doctor` admits), and what a spy between the token host and the module records.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { afterEach, describe, expect, it } from 'vitest';
import { customerMaterial, wrapMaterial } from '../support/customer-material.ts';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';
import { readSpyLog, type SpiedCall } from '../support/spy-log.ts';

const SPY_MODULE = '/usr/lib/x86_64-linux-gnu/pkcs11-spy.so';
const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';

interface InspectedObject {
  readonly label?: string;
  readonly class?: number;
  readonly valueReadable: boolean;
  readonly [flag: string]: unknown;
}
interface RobbedObject extends InspectedObject {
  readonly attempts: readonly { readonly attempt: string; readonly succeeded: boolean }[];
}

const PUBLIC_KEY = 2;
const PRIVATE_KEY = 3;
const SECRET_KEY = 4;

/** One key for each use that the API has besides symmetric encryption, with the one usage flag of its token object. */
const keysOfEachUse = [
  ['RSA_2048', 'SIGN_VERIFY', 'SIGN'],
  ['RSA_2048', 'ENCRYPT_DECRYPT', 'DECRYPT'],
  ['ECC_NIST_P256', 'SIGN_VERIFY', 'SIGN'],
  ['ECC_NIST_P256', 'KEY_AGREEMENT', 'DERIVE'],
  ['HMAC_512', 'GENERATE_VERIFY_MAC', 'SIGN'],
] as const;

/** Runs the inspector in a process of its own; the PIN goes over standard input. */
async function inspectToken<T>(daemon: RunningDaemon, task: 'inspect' | 'steal'): Promise<readonly T[]> {
  const token = daemon.token;
  if (token === undefined) throw new Error('this daemon has no token');
  const started = promisify(execFile)(
    'node',
    [join(import.meta.dirname, '../support/token-inspector.mjs'), token.module, token.label, task],
    {
      env: { ...process.env, ...token.environment },
      maxBuffer: 64 * 1_024 * 1_024,
    },
  );
  started.child.stdin?.end(await readFile(token.pinFile));
  return JSON.parse((await started).stdout) as readonly T[];
}

/** Makes a few keys and uses them in every way that the API has so far. */
async function useKeys(daemon: RunningDaemon): Promise<void> {
  const client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
  for (let index = 0; index < 3; index += 1) {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const plaintext = randomBytes(48);
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: plaintext }));
    await client.send(new DecryptCommand({ CiphertextBlob }));
    await client.send(new GenerateDataKeyCommand({ KeyId: KeyMetadata?.KeyId, KeySpec: 'AES_256' }));
  }
  client.destroy();
}

/** Keys whose material was made elsewhere: one that passed through software, and two that the token alone unwrapped. */
async function importKeys(into: RunningDaemon): Promise<void> {
  const client = new KMSClient({ endpoint: into.endpoint, region: 'us-east-1', credentials: into.credentials, maxAttempts: 1 });
  for (const [KeySpec, KeyUsage, WrappingAlgorithm] of [
    ['HMAC_256', 'GENERATE_VERIFY_MAC', 'RSAES_OAEP_SHA_256'],
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'RSAES_OAEP_SHA_1'],
    ['RSA_2048', 'SIGN_VERIFY', 'RSA_AES_KEY_WRAP_SHA_1'],
  ] as const) {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec, KeyUsage, Origin: 'EXTERNAL' }));
    const KeyId = KeyMetadata?.KeyId;
    const parameters = await client.send(new GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' }));
    const { PublicKey = new Uint8Array(), ImportToken } = parameters;
    const EncryptedKeyMaterial = wrapMaterial(PublicKey, WrappingAlgorithm, customerMaterial(KeySpec).bytes);
    const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
    await client.send(new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }));
  }
  client.destroy();
}

let daemon: RunningDaemon | undefined;
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

describe('token objects seen through an independent binding', () => {
  it.each(['softhsm', 'softhsm-direct', 'softhsm-wrapped'] as const)(
    'are sensitive, not extractable and have only the usage flags they need (%s)',
    async (store) => {
      daemon = await startDaemon({ store, auth: 'sigv4' });
      await useKeys(daemon);
      const objects = (await inspectToken<InspectedObject>(daemon, 'inspect')).filter((object) => object.class === SECRET_KEY);
      const materials = objects.filter((object) => object['LOCAL'] === true && !/wrapping key|record mac key/.test(object.label ?? ''));
      expect(materials.length).toBe(store === 'softhsm-wrapped' ? 0 : 3);
      for (const object of objects) {
        expect(object, object.label).toMatchObject({
          SENSITIVE: true,
          EXTRACTABLE: false,
          // The transport keys were carried into the token.
          ...(/transport (mac )?key/.test(object.label ?? '') ? {} : { ALWAYS_SENSITIVE: true, NEVER_EXTRACTABLE: true }),
          valueReadable: false,
        });
        expect(object['MODIFIABLE']).toBe(false);
      }
      for (const material of materials) {
        const direct = store === 'softhsm-direct';
        expect(material, material.label).toMatchObject({
          PRIVATE: true,
          WRAP: false,
          UNWRAP: false,
          SIGN: false,
          VERIFY: false,
          DERIVE: !direct,
          ENCRYPT: direct,
          DECRYPT: direct,
        });
      }
      const wrapping = objects.filter((object) => /wrapping key/.test(object.label ?? ''));
      for (const key of wrapping)
        expect(key).toMatchObject({ TRUSTED: true, WRAP: true, UNWRAP: true, ENCRYPT: false, DECRYPT: false, DERIVE: false });
    },
  );
});

async function makeKeysOfEachUse(daemon: RunningDaemon): Promise<void> {
  const client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
  for (const [KeySpec, KeyUsage] of keysOfEachUse) await client.send(new CreateKeyCommand({ KeySpec, KeyUsage }));
  client.destroy();
}

describe('private keys and HMAC keys seen through an independent binding', () => {
  it('are sensitive, not extractable, can do one thing, and leave no public objects (softhsm)', async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    const before = (await inspectToken<InspectedObject>(daemon, 'inspect')).length;
    await makeKeysOfEachUse(daemon);
    const objects = await inspectToken<InspectedObject>(daemon, 'inspect');
    expect(objects.length).toBe(before + keysOfEachUse.length);
    expect(objects.filter((object) => object.class === PUBLIC_KEY)).toEqual([]);
    const found = objects.filter((object) => object.class === PRIVATE_KEY || (object.class === SECRET_KEY && object['SIGN'] === true));
    const materials = found.filter((object) => !/(record|transport) mac key/.test(object.label ?? ''));
    const uses = materials.map((object) =>
      ['SIGN', 'DECRYPT', 'DERIVE', 'UNWRAP', 'WRAP', 'ENCRYPT'].filter((flag) => object[flag] === true),
    );
    expect(uses.map((flags) => flags.join()).sort()).toEqual(keysOfEachUse.map(([, , flag]) => flag as string).sort());
    for (const object of materials) {
      const kept = { TOKEN: true, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, MODIFIABLE: false, valueReadable: false };
      expect(object, object.label).toMatchObject({ ...kept, LOCAL: true, ALWAYS_SENSITIVE: true, NEVER_EXTRACTABLE: true });
    }
  });

  it('are not in the token at all where they are wrapped (softhsm-wrapped)', async () => {
    daemon = await startDaemon({ store: 'softhsm-wrapped', auth: 'sigv4' });
    const before = (await inspectToken<InspectedObject>(daemon, 'inspect')).length;
    await makeKeysOfEachUse(daemon);
    expect((await inspectToken<InspectedObject>(daemon, 'inspect')).length).toBe(before);
  });

  it('give a thief of the PIN nothing', async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    await makeKeysOfEachUse(daemon);
    const robbed = await inspectToken<RobbedObject>(daemon, 'steal');
    expect(robbed.filter((key) => key.class === PRIVATE_KEY).length).toBe(4);
    for (const key of robbed) {
      expect(key.attempts.length).toBeGreaterThan(8);
      expect(
        key.attempts.filter((attempt) => attempt.succeeded),
        key.label,
      ).toEqual([]);
    }
  });
});

describe('a thief of the PIN', () => {
  it('takes no imported key out, and no key that imports are wrapped for', async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    await importKeys(daemon);
    const robbed = await inspectToken<RobbedObject>(daemon, 'steal');
    const labelled = robbed.filter(({ label = '' }) => label.startsWith('hsm-kms'));
    expect(labelled.filter((key) => key.class === PRIVATE_KEY).length).toBeGreaterThanOrEqual(2 + 3);
    for (const key of labelled) {
      const succeeded = key.attempts.filter((attempt) => attempt.succeeded).map((attempt) => attempt.attempt);
      expect(succeeded, key.label).toEqual([]);
    }
  });

  it('gets out of the token nothing that doctor does not admit', async () => {
    daemon = await startDaemon({ store: 'softhsm-wrapped', auth: 'sigv4' });
    await useKeys(daemon);
    const robbed = await inspectToken<RobbedObject>(daemon, 'steal');
    expect(robbed.length).toBeGreaterThan(0);
    for (const key of robbed) {
      const succeeded = key.attempts.filter((attempt) => attempt.succeeded).map((attempt) => attempt.attempt);
      expect(succeeded, key.label).toEqual([]);
    }
  });

  it('can derive readable epoch keys from a DERIVE-only material on SoftHSM, and doctor says so', async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    await useKeys(daemon);
    const robbed = await inspectToken<RobbedObject>(daemon, 'steal');
    const succeeded = new Set(
      robbed.flatMap((key) => key.attempts.filter((attempt) => attempt.succeeded).map((attempt) => attempt.attempt)),
    );
    const doctor = await daemon.cli('doctor');
    for (const attempt of succeeded) expect(attempt).toBe('derive a readable key');
    expect(/deriv\w* .*readable|readable .*deriv/i.test(doctor.stdout)).toBe(succeeded.size > 0);
  });
});

/** True when a template of the call holds a value: bytes of a key that went in, or came out. */
function carriesValue(call: SpiedCall): boolean {
  return call.attributes.some((attribute) => attribute.name === 'CKA_VALUE' && attribute.lengthBytes > 0);
}

describe('the spy between the token host and the module', () => {
  it('records no secret value read out, and none passed in after the self-test', async () => {
    daemon = await startDaemon({
      store: 'softhsm',
      auth: 'sigv4',
      module: SPY_MODULE,
      moduleEnvironment: (folder) => ({ PKCS11SPY: SOFTHSM_MODULE, PKCS11SPY_OUTPUT: join(folder, 'spy.log') }),
    });
    const log = join(daemon.dataDirectory, 'spy.log');
    const callsAtStart = (await readSpyLog(log)).length;
    await useKeys(daemon);
    const calls = await readSpyLog(log);
    expect(calls.length).toBeGreaterThan(callsAtStart);
    const after = calls.slice(callsAtStart);
    expect(after.filter((call) => call.name === 'C_GenerateKey').length).toBe(3);
    expect(after.filter((call) => call.name === 'C_CreateObject')).toEqual([]);
    // Before, the self-test read secrets that it had agreed on with pairs of its own.
    for (const call of after.filter((candidate) => candidate.name === 'C_GetAttributeValue')) {
      expect(carriesValue(call) && call.returned === 'CKR_OK', `call ${call.number}`).toBe(false);
    }
    for (const name of ['C_WrapKey', 'C_CopyObject', 'C_SetAttributeValue']) {
      expect(after.filter((call) => call.name === name && call.returned === 'CKR_OK')).toEqual([]);
    }
  });
});
