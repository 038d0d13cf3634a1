/** What every placement of the door must do, over every full token that is installed. */
import { createECDH, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CryptokiError } from '../../src/token/cryptoki.ts';
import type { Cryptoki, ObjectHandle } from '../../src/token/cryptoki.ts';
import type { Mechanism } from '../../src/token/mechanism.ts';
import { AES_TEMPLATE, PLACEMENTS, anchor, enter, fast, generateAes, slow } from '../support/cryptoki-doors.ts';
import { hasNss, provisionNss } from '../support/nss.ts';
import { hasSoftHsm, provisionSoftHsm } from '../support/softhsm.ts';
import type { ProvisionedToken } from '../support/softhsm.ts';

const TOKENS = [
  { name: 'SoftHSM', present: hasSoftHsm(), provision: provisionSoftHsm, kwp: 'AES_KEY_WRAP_PAD' },
  { name: 'NSS softokn', present: hasNss(), provision: provisionNss, kwp: 'AES_KEY_WRAP_KWP' },
] as const;

const gcm = (iv: Uint8Array, aad = new Uint8Array(0)): Mechanism => ({ name: 'AES_GCM', iv, aad, tagBits: 128, ivSource: 'supplied' });
const CASES = TOKENS.flatMap((token) => PLACEMENTS.map((place) => ({ ...token, ...place })));

describe.each(CASES)('a door ($placement) to $name', ({ present, provision, open, placement, kwp }) => {
  let token: ProvisionedToken;
  let door: Cryptoki;
  let slotId: string;
  let key: ObjectHandle;

  beforeAll(async () => {
    if (!present) return;
    token = provision();
    door = await open(token.environment);
    slotId = await enter(door, token);
    key = await generateAes(door);
  });
  afterAll(async () => {
    await door?.close(2000);
    token?.remove();
  });

  test.skipIf(!present)('names its placement and the process that holds the module', () => {
    expect(door.placement).toBe(placement);
    expect(door.hostPid === undefined).toBe(placement === 'in-process');
  });

  test.skipIf(!present)('finds the token by its label and lists its mechanisms', async () => {
    const slot = (await door.slots(slow)).find((candidate) => candidate.slotId === slotId);
    expect(slot).toMatchObject({ label: token.label, tokenPresent: true });
    expect(await door.mechanisms(slotId, slow)).toContain(0x1087n);
  });

  test.skipIf(!present)('is in the state of a user session after login', async () => {
    expect(await door.sessionState(fast)).toBe(3);
  });

  test.skipIf(!present)('returns what was encrypted, and refuses it with other associated data', async () => {
    const iv = randomBytes(12);
    const data = randomBytes(4096);
    const sealed = await door.encrypt(gcm(iv, Buffer.from('a')), key, data, fast);
    expect(sealed).toHaveLength(4096 + 16);
    expect(Buffer.from(await door.decrypt(gcm(iv, Buffer.from('a')), key, sealed, fast)).equals(data)).toBe(true);
    await expect(door.decrypt(gcm(iv, Buffer.from('b')), key, sealed, fast)).rejects.toBeInstanceOf(CryptokiError);
    // The session must be usable after the failure.
    expect(await door.decrypt(gcm(iv, Buffer.from('a')), key, sealed, fast)).toHaveLength(4096);
  });

  test.skipIf(!present)('carries data that does not fit a small slot', async () => {
    const iv = randomBytes(12);
    const data = randomBytes(200_000);
    const sealed = await door.encrypt(gcm(iv), key, data, fast);
    expect(Buffer.from(await door.decrypt(gcm(iv), key, sealed, fast)).equals(data)).toBe(true);
  });

  test.skipIf(!present)('gives each of 64 concurrent calls its own answer', async () => {
    const messages = Array.from({ length: 64 }, (_, index) => Buffer.from(`message ${index} ${'x'.repeat(index)}`));
    const ivs = messages.map(() => randomBytes(12));
    const sealed = await Promise.all(messages.map((message, index) => door.encrypt(gcm(ivs[index]!), key, message, fast)));
    const opened = await Promise.all(sealed.map((bytes, index) => door.decrypt(gcm(ivs[index]!), key, bytes, fast)));
    expect(opened.map((bytes) => Buffer.from(bytes).toString())).toEqual(messages.map(String));
  });

  test.skipIf(!present)('reads attributes back in the hop that generates, and leaves out what is sensitive', async () => {
    const label = `key-${randomBytes(4).toString('hex')}`;
    const made = await door.generateKey(
      { name: 'AES_KEY_GEN' },
      { ...AES_TEMPLATE, LABEL: label },
      ['CLASS', 'KEY_TYPE', 'LABEL', 'SENSITIVE', 'EXTRACTABLE', 'VALUE'],
      anchor,
    );
    expect(made.attributes).toEqual({ CLASS: 'SECRET_KEY', KEY_TYPE: 'AES', LABEL: label, SENSITIVE: true, EXTRACTABLE: false });
    await door.destroyObject(made.handle, anchor);
    await expect(door.getAttributes(made.handle, ['LABEL'], fast)).rejects.toBeInstanceOf(CryptokiError);
  });

  test.skipIf(!present)('wraps a key and unwraps it to one that opens the same messages', async () => {
    const wrapped = await door.generateKey({ name: 'AES_KEY_GEN' }, { ...AES_TEMPLATE, EXTRACTABLE: true }, [], anchor);
    const blob = await door.wrapKey({ name: kwp }, key, wrapped.handle, fast);
    expect(blob).toHaveLength(40);
    const { VALUE_LEN: _, ...template } = AES_TEMPLATE;
    const again = await door.unwrapKey({ name: kwp }, key, blob, template, ['EXTRACTABLE'], anchor);
    const iv = randomBytes(12);
    const sealed = await door.encrypt(gcm(iv), wrapped.handle, Buffer.from('the same key'), fast);
    expect(Buffer.from(await door.decrypt(gcm(iv), again.handle, sealed, fast)).toString()).toBe('the same key');
    blob[0]! ^= 1;
    await expect(door.unwrapKey({ name: kwp }, key, blob, template, [], anchor)).rejects.toBeInstanceOf(CryptokiError);
  });

  test.skipIf(!present)('derives the same key from the same data, and another from other data', async () => {
    const derive = (data: Uint8Array) =>
      door.deriveKey({ name: 'AES_CBC_ENCRYPT_DATA', iv: new Uint8Array(16), data }, key, AES_TEMPLATE, ['SENSITIVE'], anchor);
    const data = randomBytes(32);
    const [first, second, other] = await Promise.all([derive(data), derive(data), derive(randomBytes(32))]);
    expect(first.attributes).toEqual({ SENSITIVE: true });
    const iv = randomBytes(12);
    const sealed = await door.encrypt(gcm(iv), first.handle, Buffer.from('epoch'), fast);
    expect(Buffer.from(await door.decrypt(gcm(iv), second.handle, sealed, fast)).toString()).toBe('epoch');
    await expect(door.decrypt(gcm(iv), other.handle, sealed, fast)).rejects.toBeInstanceOf(CryptokiError);
  });

  test.skipIf(!present)('signs and verifies with a key pair, and tells a wrong signature from an error', async () => {
    const pair = await door.generateKeyPair(
      { name: 'EC_KEY_PAIR_GEN' },
      { CLASS: 'PUBLIC_KEY', KEY_TYPE: 'EC', TOKEN: false, VERIFY: true, EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') },
      { CLASS: 'PRIVATE_KEY', KEY_TYPE: 'EC', TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, SIGN: true, DERIVE: true },
      ['EC_POINT', 'SENSITIVE'],
      anchor,
    );
    expect(pair.privateKey.attributes.SENSITIVE).toBe(true);
    expect(pair.publicKey.attributes.EC_POINT?.length).toBeGreaterThanOrEqual(65);
    const digest = randomBytes(32);
    const signature = await door.sign({ name: 'ECDSA' }, pair.privateKey.handle, digest, fast);
    expect(await door.verify({ name: 'ECDSA' }, pair.publicKey.handle, digest, signature, fast)).toBe(true);
    expect(await door.verify({ name: 'ECDSA' }, pair.publicKey.handle, randomBytes(32), signature, fast)).toBe(false);
    const peer = createECDH('prime256v1');
    const publicPoint = peer.generateKeys();
    const secret = {
      CLASS: 'SECRET_KEY',
      KEY_TYPE: 'GENERIC_SECRET',
      TOKEN: false,
      SENSITIVE: false,
      EXTRACTABLE: true,
      VALUE_LEN: 32,
    } as const;
    const shared = await door.deriveKey(
      { name: 'ECDH1_DERIVE', kdf: 'NULL', publicPoint },
      pair.privateKey.handle,
      secret,
      ['VALUE'],
      anchor,
    );
    const point = pair.publicKey.attributes.EC_POINT!;
    expect(Buffer.from(shared.attributes.VALUE!).equals(peer.computeSecret(point.subarray(point.length - 65)))).toBe(true);
  });

  test.skipIf(!present)('finds more than 2,000 objects in one call, with their labels', async () => {
    const template = { CLASS: 'DATA', TOKEN: false, PRIVATE: false, APPLICATION: 'many' } as const;
    const labels = Array.from({ length: 2100 }, (_, index) => `${index}-${'y'.repeat(600)}`);
    await Promise.all(labels.map((label) => door.createObject({ ...template, LABEL: label, VALUE: new Uint8Array(1) }, [], anchor)));
    const found = await door.findObjects({ CLASS: 'DATA', APPLICATION: 'many' }, ['LABEL'], slow);
    expect(new Set(found.map((object) => object.attributes.LABEL))).toEqual(new Set(labels));
    expect(found).toHaveLength(labels.length);
  });

  test.skipIf(!present)('returns random bytes of any length up to 64 KiB', async () => {
    const [one, two] = await Promise.all([door.random(65_536, fast), door.random(65_536, fast)]);
    expect(one).toHaveLength(65_536);
    expect(Buffer.from(one).equals(two)).toBe(false);
  });

  test.skipIf(!present)('reports the function and the return value of a failed call', async () => {
    const failure = await door
      .encrypt(gcm(randomBytes(12)), { low: 0xffff, high: 7 }, new Uint8Array(1), fast)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'CryptokiError', functionName: 'C_EncryptInit' });
    expect((failure as CryptokiError).message).toMatch(/CKR_(OBJECT|KEY)_HANDLE_INVALID/);
  });

  test.skipIf(!present)('throws TypeError on wrong arguments before anything is submitted', () => {
    const wrong: unknown[] = ['bytes', null, 7, [1, 2], new Uint16Array(2)];
    for (const data of wrong) expect(() => door.encrypt(gcm(randomBytes(12)), key, data as Uint8Array, fast)).toThrow(TypeError);
    for (const iv of [...wrong, new Uint8Array(0)])
      expect(() => door.encrypt(gcm(iv as Uint8Array), key, new Uint8Array(1), fast)).toThrow(TypeError);
    for (const low of [-1, 1.5, 2 ** 32, Number.NaN, '1']) {
      expect(() => door.destroyObject({ low, high: 0 } as ObjectHandle, fast)).toThrow(TypeError);
    }
    expect(() => door.sign({ name: 'NO_SUCH' } as unknown as Mechanism, key, new Uint8Array(1), fast)).toThrow(TypeError);
    expect(() => door.createObject({ CLASS: 'NO_SUCH' } as never, [], fast)).toThrow(TypeError);
    expect(() => door.createObject({ SENSITIVE: 1 } as never, [], fast)).toThrow(TypeError);
    expect(() => door.getAttributes(key, ['NO_SUCH'] as never, fast)).toThrow(TypeError);
    expect(() => door.random(-1, fast)).toThrow(TypeError);
    expect(() => door.random(32, { threads: 'none' as never, deadlineMs: 1 })).toThrow(TypeError);
    expect(() => door.encrypt(gcm(randomBytes(12)), key, new Uint8Array(2 ** 20), fast)).toThrow(TypeError);
  });

  test.skipIf(!present)('keeps the PIN out of arguments and environment of the process that logs in', () => {
    const process = `/proc/${door.hostPid ?? 'self'}`;
    const shown = readFileSync(`${process}/cmdline`, 'latin1') + readFileSync(`${process}/environ`, 'latin1');
    token.pin.expose((pin) => expect(shown).not.toContain(Buffer.from(pin).toString('latin1')));
  });

  test.skipIf(!present)('serves again after its sessions were closed behind its back', async () => {
    await door.closeAllSessions(slotId, slow);
    await expect(door.sessionState(fast)).rejects.toMatchObject({ returnValue: 0xb3 });
    for (const threads of ['fast', 'anchor', 'slow'] as const) await door.reopenSessions(threads, slow);
    expect(await door.sessionState(fast)).toBe(2);
    await door.login('USER', token.pin, fast);
    expect(await door.sessionState(slow)).toBe(3);
    key = await generateAes(door);
    expect(await door.encrypt(gcm(randomBytes(12)), key, new Uint8Array(8), fast)).toHaveLength(24);
  });

  test.skipIf(!present)('can finalize the library and load it again', async () => {
    await door.finalize(slow);
    await expect(door.sessionState(fast)).rejects.toMatchObject({ returnValue: 0x190 });
    slotId = await enter(door, token);
    expect(await door.sessionState(anchor)).toBe(3);
    key = await generateAes(door);
  });

  test.skipIf(!present)('is closed within its grace time, and rejects later calls', async () => {
    const running = Promise.allSettled(Array.from({ length: 50 }, () => door.encrypt(gcm(randomBytes(12)), key, new Uint8Array(8), fast)));
    const startedAt = performance.now();
    await door.close(3000);
    expect(performance.now() - startedAt).toBeLessThan(3500);
    expect(
      (await running).every((result) => result.status === 'fulfilled' || (result.reason as { reason: string }).reason === 'closed'),
    ).toBe(true);
    await expect(door.ping(fast)).rejects.toMatchObject({ name: 'CryptokiLossError', reason: 'closed' });
    expect((await door.closed).reason).toContain('closed');
  });
});
