/**
 * kill -9 of the daemon at random moments while keys and aliases are made: whatever was acknowledged is there afterwards and
 * works, and store and token agree. `HSM_KMS_KILLS` sets how often (25 unless told; `scripts/test --full` takes hundreds).
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';
import { seededRandom } from '../support/seeded-random.ts';

const KILLS = Number(process.env['HSM_KMS_KILLS'] ?? (process.env['HSM_KMS_TEST_FULL'] === undefined ? 25 : 200));
const SEED = Number(process.env['HSM_KMS_SEED'] ?? 20_261_123);

interface Acknowledged {
  readonly keys: Map<string, Uint8Array>;
  readonly aliases: Map<string, string>;
}

describe('a daemon that is killed at random moments', () => {
  let daemon: RunningDaemon;
  const acknowledged: Acknowledged = { keys: new Map(), aliases: new Map() };
  const random = seededRandom(SEED);

  beforeAll(async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
  });
  afterAll(async () => daemon.stop());

  const connect = (): KMSClient =>
    new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });

  /** Makes keys, aliases and ciphertexts until the connection breaks; records only what was acknowledged. */
  async function work(client: KMSClient): Promise<void> {
    for (;;) {
      try {
        const keyId = (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
        const plaintext = Buffer.from(keyId);
        acknowledged.keys.set(keyId, new Uint8Array());
        const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext: plaintext }));
        acknowledged.keys.set(keyId, CiphertextBlob ?? new Uint8Array());
        const alias = `alias/${keyId}`;
        await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyId }));
        acknowledged.aliases.set(alias, keyId);
      } catch {
        return;
      }
    }
  }

  it(
    `loses nothing that was acknowledged over ${KILLS} kills, and store and token agree`,
    { timeout: 60_000 + KILLS * 20_000 },
    async () => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const client = connect();
        const workers = Promise.all([work(client), work(client), work(client)]);
        const waitMs = 20 + random() * 400;
        await new Promise((resolve) => {
          setTimeout(resolve, waitMs);
        });
        await daemon.restart('kill');
        await workers;
        client.destroy();
      }
      expect(acknowledged.keys.size).toBeGreaterThan(0);
      const client = connect();
      for (const [keyId, blob] of acknowledged.keys) {
        const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: keyId }));
        expect(KeyMetadata?.KeyState).toBe('Enabled');
        if (blob.length === 0) continue;
        const opened = await client.send(new DecryptCommand({ CiphertextBlob: blob }));
        expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe(keyId);
      }
      const aliases = new Map<string, string>();
      for (let marker: string | undefined; ;) {
        const page = await client.send(new ListAliasesCommand({ Marker: marker }));
        for (const alias of page.Aliases ?? []) aliases.set(alias.AliasName ?? '', alias.TargetKeyId ?? '');
        if (page.NextMarker === undefined) break;
        marker = page.NextMarker;
      }
      for (const [alias, keyId] of acknowledged.aliases) expect(aliases.get(alias)).toBe(keyId);
      await expectTokenAgrees(client);
      client.destroy();
    },
  );

  /** Every key of the store has exactly one object in the token; what else is there is named in an intent that the sweeper will end. */
  async function expectTokenAgrees(client: KMSClient): Promise<void> {
    const stored = new Set<string>();
    for (let marker: string | undefined; ;) {
      const page = await client.send(new ListKeysCommand({ Limit: 1_000, Marker: marker }));
      for (const key of page.Keys ?? []) stored.add(key.KeyId ?? '');
      if (page.NextMarker === undefined) break;
      marker = page.NextMarker;
    }
    const labels = await materialLabels();
    for (const keyId of stored) expect(labels.filter((label) => keyId.startsWith(label)).length, keyId).toBe(1);
    const strays = labels.filter((label) => ![...stored].some((keyId) => keyId.startsWith(label)));
    expect(strays.length).toBeLessThanOrEqual(KILLS * 3);
    const report = await daemon.cli('doctor', '--json');
    expect(report.stdout).not.toContain('"missing-in-token"');
  }

  async function materialLabels(): Promise<readonly string[]> {
    const token = daemon.token;
    if (token === undefined) throw new Error('this daemon has no token');
    const started = promisify(execFile)(
      'node',
      [join(import.meta.dirname, '../support/token-inspector.mjs'), token.module, token.label, 'inspect'],
      {
        env: { ...process.env, ...token.environment },
        maxBuffer: 256 * 1_024 * 1_024,
      },
    );
    started.child.stdin?.end(await readFile(token.pinFile));
    const objects = JSON.parse((await started).stdout) as readonly { label?: string }[];
    return objects.map((object) => /^hsm-kms ([0-9a-f]{8})/.exec(object.label ?? '')?.[1]).filter((label) => label !== undefined);
  }
});
