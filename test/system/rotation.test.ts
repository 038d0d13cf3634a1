/** Rotation through the AWS SDK on daemons: old and new ciphertexts, across restarts, by schedule, and with a daemon that is killed meanwhile. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { moveClock } from '../support/virtual-clock.ts';

const region = 'us-east-1';

function connect({ endpoint, credentials }: RunningDaemon): KMSClient {
  return new KMSClient({ endpoint, region, credentials, maxAttempts: 1 });
}

interface Ciphertext {
  readonly text: string;
  readonly blob: Uint8Array | undefined;
  readonly materialId: string | undefined;
}

async function newKey(client: KMSClient): Promise<string> {
  return (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
}

async function currentMaterial(client: KMSClient, KeyId: string): Promise<string | undefined> {
  return (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId;
}

/** A ciphertext with the material that must have made it. */
async function encrypt(client: KMSClient, KeyId: string, text: string): Promise<Ciphertext> {
  const materialId = await currentMaterial(client, KeyId);
  const { CiphertextBlob: blob } = await client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(text) }));
  return { text, blob, materialId };
}

async function expectOpens(client: KMSClient, { text, blob, materialId }: Ciphertext): Promise<void> {
  const { Plaintext, KeyMaterialId } = await client.send(new DecryptCommand({ CiphertextBlob: blob }));
  expect([Buffer.from(Plaintext ?? []).toString(), KeyMaterialId]).toEqual([text, materialId]);
}

describe.each(['softhsm', 'softhsm-wrapped', 'softhsm-direct', 'software'] as const)('rotation over %s', (store) => {
  let daemon: RunningDaemon;
  let client: KMSClient;
  beforeAll(async () => {
    daemon = await startDaemon({ store, auth: 'emulator', flags: ['--clock', 'virtual'] });
    client = connect(daemon);
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
  });

  it('opens what each material made, before and after a restart', async () => {
    const KeyId = await newKey(client);
    const made = [await encrypt(client, KeyId, 'first')];
    for (const text of ['second', 'third']) {
      await client.send(new RotateKeyOnDemandCommand({ KeyId }));
      made.push(await encrypt(client, KeyId, text));
    }
    expect(new Set(made.map(({ materialId }) => materialId)).size).toBe(3);
    for (const ciphertext of made) await expectOpens(client, ciphertext);
    await daemon.restart('stop');
    for (const ciphertext of made) await expectOpens(client, ciphertext);
    const { Rotations } = await client.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }));
    expect(Rotations?.map(({ KeyMaterialId, KeyMaterialState, RotationType }) => [KeyMaterialId, KeyMaterialState, RotationType])).toEqual([
      [made[0]?.materialId, 'NON_CURRENT', undefined],
      [made[1]?.materialId, 'NON_CURRENT', 'ON_DEMAND'],
      [made[2]?.materialId, 'CURRENT', 'ON_DEMAND'],
    ]);
    const shown = (await daemon.cli('keys', 'show', KeyId)).stdout;
    expect(shown).toMatch(new RegExp(`^material +${made[0]?.materialId} .* former$`, 'm'));
    expect(shown).toMatch(new RegExp(`^material +${made[2]?.materialId} .* current, rotated to on demand 20`, 'm'));
  });

  it('rotates by itself when the period is over, and the keys of services after a year', async () => {
    const KeyId = await newKey(client);
    const service = (await client.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }))).KeyMetadata;
    expect(service).toMatchObject({ KeyManager: 'AWS', KeyState: 'Enabled' });
    await client.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const old = await encrypt(client, KeyId, 'old');
    const status = await client.send(new GetKeyRotationStatusCommand({ KeyId }));
    expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90, NextRotationDate: expect.any(Date) });
    await moveClock(daemon.endpoint, { Days: 91 });
    const { Rotations } = await client.send(new ListKeyRotationsCommand({ KeyId }));
    expect(Rotations).toMatchObject([{ RotationType: 'AUTOMATIC', KeyMaterialState: 'CURRENT', RotationDate: expect.any(Date) }]);
    const fresh = await encrypt(client, KeyId, 'fresh');
    expect(fresh.materialId).not.toBe(old.materialId);
    await expectOpens(client, old);
    await expectOpens(client, fresh);
    await client.send(new DisableKeyRotationCommand({ KeyId }));
    await moveClock(daemon.endpoint, { Days: 280 });
    expect((await client.send(new ListKeyRotationsCommand({ KeyId }))).Rotations).toHaveLength(1);
    expect((await client.send(new ListKeyRotationsCommand({ KeyId: service?.KeyId }))).Rotations).toHaveLength(1);
  });

  it('lists the predefined aliases, with a target where there is a key, and lets nobody change such a key', async () => {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: 'alias/aws/ssm' }));
    const { Aliases } = await client.send(new ListAliasesCommand({ Limit: 100 }));
    expect(Aliases?.find(({ AliasName }) => AliasName === 'alias/aws/ssm')?.TargetKeyId).toBe(KeyMetadata?.KeyId);
    expect(Aliases?.find(({ AliasName }) => AliasName === 'alias/aws/glue')).not.toHaveProperty('TargetKeyId');
    const rotate = client.send(new RotateKeyOnDemandCommand({ KeyId: KeyMetadata?.KeyId }));
    await expect(rotate).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('a daemon that is killed while it rotates', () => {
  const kills = 8;
  const random = seededRandom(20_261_124);
  let daemon: RunningDaemon;
  beforeAll(async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'emulator', flags: ['--clock', 'virtual'] });
  });
  afterAll(async () => daemon.stop());

  it(
    'keeps every rotation that it acknowledged, opens every ciphertext, and leaves no object behind',
    { timeout: 60_000 + kills * 20_000 },
    async () => {
      const made: Ciphertext[] = [];
      const rotations = new Map<string, number>();
      for (let kill = 0; kill < kills; kill += 1) {
        const client = connect(daemon);
        const KeyId = await newKey(client);
        rotations.set(KeyId, 0);
        const working = rotateUntilItBreaks(client, KeyId, made, rotations);
        await wait(5 + random() * 150);
        await daemon.restart('kill');
        await working;
        client.destroy();
      }
      const client = connect(daemon);
      expect(made.length).toBeGreaterThan(kills);
      for (const ciphertext of made) await expectOpens(client, ciphertext);
      let materials = 0;
      for (const [KeyId, acknowledged] of rotations) {
        const { Rotations = [] } = await client.send(new ListKeyRotationsCommand({ KeyId }));
        // One more may have been done and not been said.
        expect([acknowledged, acknowledged + 1]).toContain(Rotations.length);
        materials += Rotations.length + 1;
        await expectOpens(client, await encrypt(client, KeyId, KeyId));
      }
      client.destroy();
      // Past the lease of every intent, so that what no record names is destroyed.
      await moveClock(daemon.endpoint, { Days: 1 });
      const objects = JSON.parse((await daemon.cli('token', 'objects', '--json')).stdout) as readonly { label?: string }[];
      expect(objects.filter(({ label }) => /^hsm-kms [0-9a-f]{8}\b/.test(label ?? ''))).toHaveLength(materials);
    },
  );
});

async function rotateUntilItBreaks(client: KMSClient, KeyId: string, made: Ciphertext[], rotations: Map<string, number>): Promise<void> {
  try {
    for (;;) {
      made.push(await encrypt(client, KeyId, `${KeyId} ${made.length}`));
      await client.send(new RotateKeyOnDemandCommand({ KeyId }));
      rotations.set(KeyId, (rotations.get(KeyId) ?? 0) + 1);
    }
  } catch {
    // The connection broke, or the key has had its 25 rotations.
  }
}
