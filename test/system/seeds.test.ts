/** A daemon that starts with keys of a file: the ids and material that a test suite of a user expects, at once and once only. */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeKeyCommand, EncryptCommand, GenerateMacCommand, KMSClient, UpdateKeyDescriptionCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

const account = '111122223333';
const appKey = '1234abcd-12ab-34cd-56ef-1234567890ab';
const macKey = '1234abcd-12ab-34cd-56ef-1234567890ac';
const many = 1_000;
const startMsMax = 30_000;

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

describe('a daemon with seeds', () => {
  let daemon: RunningDaemon;
  let client: KMSClient;
  const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-seeds-'));
  const macBytes = randomBytes(32);
  const startedMs = performance.now();

  beforeAll(async () => {
    const others = Array.from({ length: many }, (_unused, number) => `  - { KeyId: ${idOf(number)}, Account: "${account}" }`);
    const seeds = join(folder, 'seeds.yaml');
    writeFileSync(
      seeds,
      `keys:
  - KeyId: ${appKey}
    Account: "${account}"
    Description: from the seed
    Tags: { team: red }
    Aliases: [alias/app]
  - KeyId: ${macKey}
    Account: "${account}"
    KeySpec: HMAC_256
    KeyUsage: GENERATE_VERIFY_MAC
    Material: { hex: "${macBytes.toString('hex')}" }
${others.join('\n')}
`,
    );
    daemon = await startDaemon({ store: 'software', auth: 'emulator', flags: ['--seeds', seeds] });
    const credentials = { accessKeyId: account, secretAccessKey: 'any' };
    client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
    rmSync(folder, { recursive: true });
  });

  it(`starts with ${many} of them in bounded time`, () => {
    expect(daemon.log()).toContain(`"made":${many + 2}`);
    expect(performance.now() - startedMs).toBeLessThan(startMsMax);
  });

  it('serves the keys under their ids and aliases, with the material of the file', async () => {
    const { KeyId } = await client.send(new EncryptCommand({ KeyId: 'alias/app', Plaintext: Buffer.from('x') }));
    expect(KeyId).toBe(`arn:aws:kms:us-east-1:${account}:key/${appKey}`);
    const { Mac } = await client.send(new GenerateMacCommand({ KeyId: macKey, Message: Buffer.from('m'), MacAlgorithm: 'HMAC_SHA_256' }));
    expect(Buffer.from(Mac ?? [])).toEqual(createHmac('sha256', macBytes).update('m').digest());
  });

  it('leaves what was changed as it is at the next start, and keeps the material out of the log', async () => {
    await client.send(new UpdateKeyDescriptionCommand({ KeyId: appKey, Description: 'changed' }));
    await daemon.restart('kill');
    expect(daemon.log()).toContain(`"made":0,"known":${many + 2}`);
    expect((await client.send(new DescribeKeyCommand({ KeyId: appKey }))).KeyMetadata?.Description).toBe('changed');
    expect(daemon.log()).not.toContain(macBytes.toString('hex'));
  });
});
