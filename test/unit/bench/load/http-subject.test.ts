import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closedLoop } from '../../../../src/bench/closed-loop.ts';
import { HttpSubject } from '../../../../src/bench/load/http-subject.ts';
import { systemClock } from '../../../../src/clock.ts';
import { silentLog } from '../../../../src/log.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import { type WireServer, openWireServer } from '../../../../src/wire/server.ts';
import { sigv4Authenticator } from '../../../../src/wire/sigv4/sigv4-authenticator.ts';
import { RecordingKms, newCredential } from '../../../support/wire.ts';

const encrypt32 = { operation: 'Encrypt', bytes: 32 } as const;

describe('the load generator', () => {
  const credential = newCredential();
  let kms: RecordingKms;
  let server: WireServer;
  let port: number;

  beforeEach(async () => {
    kms = new RecordingKms();
    kms.answer = () => ({ CiphertextBlob: new Uint8Array([1, 2, 3]), KeyId: 'key' });
    server = openWireServer({
      listener: { host: '127.0.0.1', port: 0, tls: undefined },
      limits: { bodyBytesMax: 65_536, headerBytesMax: 16_384, requestTimeoutMs: 5_000, connectionsMax: 100 },
      kms,
      authenticator: sigv4Authenticator({ credentials: { find: () => credential }, clock: systemClock }),
      clock: systemClock,
      log: silentLog,
      ready: () => true,
    });
    ({ port } = await server.listen());
  });
  afterEach(() => server.close({ drainMs: 0 }));

  function subject(secretText = credential.secretText): HttpSubject {
    return new HttpSubject({
      target: { host: '127.0.0.1', port },
      signatory: { accessKeyId: credential.accessKeyId, secret: SecretBytes.fromText(secretText), region: 'eu-central-1' },
      keyId: 'key',
      processes: {},
    });
  }

  it('sends different requests whose signatures the service accepts', async () => {
    const load = subject();
    const result = await closedLoop(await load.prepare(encrypt32, 4), { outstanding: 4, durationMs: 150 });
    await load.close();
    expect(result.operations).toBe(kms.calls.length);
    expect(result.operations).toBeGreaterThan(20);
    const plaintexts = kms.calls.map((call) => (call.input as { Plaintext: string }).Plaintext);
    expect(new Set(plaintexts).size).toBe(Math.min(plaintexts.length, 10_000));
    expect(Buffer.from(plaintexts[0]!, 'base64')).toHaveLength(32);
    expect(kms.calls[0]).toMatchObject({ operation: 'Encrypt', caller: { accessKeyId: credential.accessKeyId, region: 'eu-central-1' } });
  });

  it('decrypts what the service itself has encrypted', async () => {
    const load = subject();
    const operation = await load.prepare({ operation: 'Decrypt', bytes: 1024 }, 1);
    await operation();
    await load.close();
    const operations = kms.calls.map((call) => call.operation);
    expect(operations.filter((name) => name === 'Encrypt')).toHaveLength(64);
    expect(kms.calls.at(-1)).toMatchObject({ operation: 'Decrypt', input: { CiphertextBlob: 'AQID' } });
  });

  it('takes an answer that is not 200 for a failure, with its text', async () => {
    const load = subject('another secret');
    const operation = await load.prepare(encrypt32, 1);
    await expect(operation()).rejects.toThrow(/400.*InvalidSignatureException/s);
    expect(kms.calls).toHaveLength(0);
    await load.close();
  });
});
