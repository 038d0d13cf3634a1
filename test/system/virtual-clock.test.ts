/** A daemon with a clock that its callers move: what takes days happens at once, on a real token. */
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startDaemon, type RunningDaemon } from '../support/daemon.ts';
import { moveClock } from '../support/virtual-clock.ts';

describe('a daemon with a virtual clock', () => {
  let daemon: RunningDaemon;
  let client: KMSClient;

  beforeAll(async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'emulator', flags: ['--clock', 'virtual'] });
    client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
  });

  it('deletes a key when its waiting period has been moved over, and not before', async () => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const KeyId = KeyMetadata?.KeyId;
    await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await moveClock(daemon.endpoint, { Days: 6 });
    const waiting = await client.send(new DescribeKeyCommand({ KeyId }));
    expect(waiting.KeyMetadata?.KeyState).toBe('PendingDeletion');
    await moveClock(daemon.endpoint, { Days: 1, Seconds: 1 });
    await expect(client.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  it('says what is wrong with a move that is none', async () => {
    await expect(moveClock(daemon.endpoint, { Days: -1 })).rejects.toThrow('the clock moves forward only');
  });

  it('is refused where callers prove themselves', async () => {
    const refused = await runCli(['serve', '--data', daemon.dataDirectory, '--clock', 'virtual']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('needs auth: emulator');
  });
});
