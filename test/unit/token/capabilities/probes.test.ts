import { createCipheriv, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callClasses } from '../../../../src/token/call-classes.ts';
import { TEST_KEY, cbc, measureCbc, measureGcm } from '../../../../src/token/capabilities/cipher-probes.ts';
import { measureHmacs } from '../../../../src/token/capabilities/mac-probes.ts';
import { measureDerivation } from '../../../../src/token/capabilities/derivation-probes.ts';
import { ProbeBench } from '../../../../src/token/capabilities/probe-bench.ts';
import { hatchCanary } from '../../../../src/token/canary.ts';
import { Connection } from '../../../../src/token/connection.ts';
import { FakeDevice, ckr } from '../../../support/fake-cryptoki.ts';
import type { FakeCryptoki } from '../../../support/fake-cryptoki.ts';
import { fakeParts } from '../../../support/fake-token-parts.ts';

const ATTRIBUTE_VALUE_INVALID = 0x13;
const MECHANISM_INVALID = 0x70;
const calls = callClasses({ fast: 1_000, slow: 1_000, keyGeneration: 1_000, start: 1_000 });

let device: FakeDevice;
let door: FakeCryptoki;
let bench: ProbeBench;

beforeEach(async () => {
  device = new FakeDevice();
  await Connection.open(fakeParts(device));
  door = device.doors[0] as FakeCryptoki;
  bench = new ProbeBench(door, calls);
});
afterEach(() => vi.restoreAllMocks());

describe('the test key', () => {
  it('gives the published answer of SP 800-38A, F.2.5, in the reference that tokens are compared with', () => {
    const plaintext = Buffer.from('6bc1bee22e409f96e93d7e117393172a', 'hex');
    const cipher = createCipheriv('aes-256-cbc', TEST_KEY, Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')).setAutoPadding(false);
    expect(cipher.update(plaintext).toString('hex')).toBe('f58c4c04d6e5f1ba779eabfb5f7bfbd6');
    expect(cbc(TEST_KEY, plaintext).length).toBe(16);
  });
});

describe('measuring', () => {
  it('finds what works, by known answers', async () => {
    expect(await measureGcm(bench, 'measure')).toBe('supplied');
    expect(await measureHmacs(bench)).toContain('SHA256');
    expect(await measureDerivation(bench)).toBe('aes-cbc-encrypt-data');
    expect(door.count('createObject')).toBeGreaterThan(0);
  });

  it('goes by round trip where the token takes no key in clear', async () => {
    device.fail('createObject', ckr(ATTRIBUTE_VALUE_INVALID, 'C_CreateObject'), 100);
    expect(await measureGcm(bench, 'measure')).toBe('supplied');
    expect(await measureHmacs(bench)).toContain('SHA256');
    expect(await measureDerivation(bench)).toBe('aes-cbc-encrypt-data');
  });

  it('does not count a GCM that opens forged ciphertexts', async () => {
    const decrypt = door.decrypt.bind(door);
    vi.spyOn(door, 'decrypt').mockImplementation((mechanism, key, data, options) =>
      decrypt(mechanism, key, data, options).catch(() => new Uint8Array(data.length - 16)),
    );
    expect(await measureGcm(bench, 'measure')).toBeUndefined();
  });

  it('does not count a mechanism that gives a wrong answer', async () => {
    const sign = door.sign.bind(door);
    vi.spyOn(door, 'sign').mockImplementation(async (mechanism, key, data, options) => {
      const mac = await sign(mechanism, key, data, options);
      return Uint8Array.from(mac, (byte) => byte ^ 1);
    });
    expect(await measureHmacs(bench)).toEqual([]);
  });

  it('does not count a derivation that is only nearly the right one', async () => {
    const deriveKey = door.deriveKey.bind(door);
    vi.spyOn(door, 'deriveKey').mockImplementation((mechanism, base, template, readBack, options) => {
      if (mechanism.name !== 'AES_CBC_ENCRYPT_DATA') return deriveKey(mechanism, base, template, readBack, options);
      return deriveKey({ ...mechanism, iv: new Uint8Array(16).fill(1) }, base, template, readBack, options);
    });
    expect(await measureDerivation(bench)).toBeUndefined();
  });

  it('takes a refusal for a no, and a missing answer for no answer', async () => {
    device.fail('encrypt', ckr(MECHANISM_INVALID, 'C_EncryptInit'), 100);
    expect(await measureCbc(bench)).toBe(false);
    door.die();
    await expect(measureCbc(bench)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('leaves no object behind', async () => {
    const before = door.objects.length;
    await measureGcm(bench, 'measure');
    await measureHmacs(bench);
    expect(door.objects.length).toBeGreaterThan(before);
    await bench.clear();
    expect(door.objects.length).toBe(before);
  });

  it('tries only the IV source that the configuration names', async () => {
    expect(await measureGcm(bench, 'supplied')).toBe('supplied');
    const before = door.count('encrypt');
    device.fail('encrypt', ckr(MECHANISM_INVALID, 'C_EncryptInit'), 100);
    expect(await measureGcm(bench, 'token-zeroed')).toBeUndefined();
    expect(door.count('encrypt') - before).toBe(1);
  });
});

describe('the known-good operation', () => {
  it('uses a MAC where AES-CBC is not to be had, and random bytes where there are no session keys', async () => {
    device.fail('encrypt', ckr(MECHANISM_INVALID, 'C_EncryptInit'));
    const byMac = await hatchCanary(door, calls);
    await byMac();
    expect(door.calls.at(-1)?.method).toBe('sign');
    device.fail('generateKey', ckr(0x54, 'C_GenerateKey'), 2);
    const byRandom = await hatchCanary(door, calls);
    await byRandom();
    expect(door.calls.at(-1)?.method).toBe('random');
  });

  it('fails when the answer is another one than before', async () => {
    const canary = await hatchCanary(door, calls);
    vi.spyOn(door, 'encrypt').mockResolvedValue(Uint8Array.from(createHmac('md5', 'other').digest()));
    await expect(canary()).rejects.toMatchObject({ kind: 'device', message: 'the token gave a wrong answer to a known operation' });
  });

  it('is not hatched over a token that fails', async () => {
    device.fail('generateKey', ckr(0x30, 'C_GenerateKey'));
    await expect(hatchCanary(door, calls)).rejects.toMatchObject({ returnValue: 0x30 });
  });
});
