import { beforeEach, describe, expect, it } from 'vitest';
import { Recovery } from '../../../src/token/recovery.ts';
import { ServedToken } from '../../../src/token/served-token.ts';
import { epochKey, tokenMaterial, wrappableMaterial } from '../../../src/token/templates.ts';
import { capableToken } from '../../support/fake-token.ts';
import { FakeDevice, ckr } from '../../support/fake-cryptoki.ts';
import type { FakeCryptoki } from '../../support/fake-cryptoki.ts';
import { fakeParts, settle } from '../../support/fake-token-parts.ts';
import type { TokenConfig } from '../../../src/config/config.ts';

const NAMES = { id: new Uint8Array(16).fill(4), label: 'material' };
const AES = { name: 'AES_KEY_GEN' } as const;
const TYPE_INVALID = 0x12;

let device: FakeDevice;
let token: ServedToken;

async function open(changes: Partial<TokenConfig> = {}): Promise<void> {
  const parts = fakeParts(device, changes);
  token = new ServedToken(await Recovery.start(parts), capableToken, parts);
}

beforeEach(async () => {
  device = new FakeDevice();
  await open();
});

function door(): FakeCryptoki {
  return device.doors.at(-1) as FakeCryptoki;
}

describe('a key that is made', () => {
  it('is destroyed when it is weaker than asked for, and the call fails', async () => {
    device.overrides['EXTRACTABLE'] = true;
    const before = door().objects.length;
    await expect(token.generateKey(AES, tokenMaterial('derive', NAMES))).rejects.toMatchObject({
      kind: 'weaker-key',
      message: expect.stringContaining('EXTRACTABLE') as string,
    });
    expect(door().objects.length).toBe(before);
    expect(door().count('destroyObject')).toBe(1);
  });

  it('counts as a fault, not as a refusal, while it is weaker than asked for and still there', async () => {
    device.overrides['EXTRACTABLE'] = true;
    device.fail('destroyObject', ckr(0x30, 'C_DestroyObject'));
    await expect(token.generateKey(AES, tokenMaterial('derive', NAMES))).rejects.toMatchObject({
      kind: 'device',
      message: expect.stringContaining('could not be destroyed') as string,
    });
  });

  it('is held to every usage flag, and to what cannot be read', async () => {
    device.overrides['WRAP'] = true;
    await expect(token.generateKey(AES, tokenMaterial('derive', NAMES))).rejects.toMatchObject({ kind: 'weaker-key' });
    delete device.overrides['WRAP'];
    device.overrides['SENSITIVE'] = undefined;
    await expect(token.generateKey(AES, tokenMaterial('derive', NAMES))).rejects.toMatchObject({ kind: 'weaker-key' });
  });

  it('is held to it after a derivation too', async () => {
    const { object } = await token.generateKey(AES, { ...tokenMaterial('derive', NAMES), TOKEN: false });
    device.overrides['SENSITIVE'] = false;
    const derivation = { name: 'AES_CBC_ENCRYPT_DATA', iv: new Uint8Array(16), data: new Uint8Array(32) } as const;
    await expect(token.deriveKey(derivation, object, epochKey('epoch'))).rejects.toMatchObject({ kind: 'weaker-key' });
  });

  it('may be stronger than asked for', async () => {
    device.overrides['EXTRACTABLE'] = false;
    const { attributes } = await token.generateKey(AES, { ...tokenMaterial('derive', NAMES), EXTRACTABLE: true });
    expect(attributes.EXTRACTABLE).toBe(false);
  });

  it('carries the attributes that the caller wanted to read as well', async () => {
    const { attributes } = await token.generateKey(AES, tokenMaterial('derive', NAMES), ['LABEL']);
    expect(attributes.LABEL).toBe('material');
  });
});

describe('attributes that the token does not know', () => {
  it('are left out after one refusal, and not asked for again', async () => {
    device.unknownAttributes.set('COPYABLE', TYPE_INVALID);
    const before = door().count('generateKey');
    await token.generateKey(AES, tokenMaterial('derive', NAMES));
    expect(door().count('generateKey') - before).toBe(2);
    await token.generateKey(AES, tokenMaterial('derive', NAMES));
    expect(door().count('generateKey') - before).toBe(3);
    expect(door().objects.at(-1)).not.toHaveProperty('COPYABLE');
  });

  it('are not left out because of one failure that may be anything', async () => {
    device.fail('generateKey', ckr(0x5, 'C_GenerateKey'));
    await token.generateKey(AES, tokenMaterial('derive', NAMES));
    expect(door().objects.at(-1)).toHaveProperty('COPYABLE');
  });

  it('are left out where the token says nothing better of them than that it failed', async () => {
    device.unknownAttributes.set('COPYABLE', 0x5);
    const before = door().count('generateKey');
    await token.generateKey(AES, tokenMaterial('derive', NAMES));
    expect(door().objects.at(-1)).not.toHaveProperty('COPYABLE');
    await token.generateKey(AES, tokenMaterial('derive', NAMES));
    expect(door().count('generateKey') - before).toBe(4);
  });

  it('are left out from the start when the profile says so', async () => {
    device.unknownAttributes.set('COPYABLE', TYPE_INVALID);
    await open({ omitAttributes: ['COPYABLE'] });
    const before = door().count('generateKey');
    await token.generateKey(AES, tokenMaterial('derive', NAMES, ['AES_CBC_ENCRYPT_DATA']));
    expect(door().count('generateKey') - before).toBe(1);
    expect(door().objects.at(-1)).toHaveProperty('ALLOWED_MECHANISMS');
  });

  it('are not left out when the caller insists on them', async () => {
    device.unknownAttributes.set('WRAP_WITH_TRUSTED', TYPE_INVALID);
    const made = token.generateKey(AES, wrappableMaterial('derive', NAMES), [], ['WRAP_WITH_TRUSTED']);
    await expect(made).rejects.toMatchObject({ kind: 'unsupported' });
    device.unknownAttributes.clear();
    device.overrides['WRAP_WITH_TRUSTED'] = false;
    const ignored = token.generateKey(AES, wrappableMaterial('derive', NAMES), [], ['WRAP_WITH_TRUSTED']);
    await expect(ignored).rejects.toMatchObject({ kind: 'weaker-key', message: expect.stringContaining('WRAP_WITH_TRUSTED') as string });
  });

  it('never include WRAP_WITH_TRUSTED of an extractable key, whatever else was left out before', async () => {
    device.unknownAttributes.set('COPYABLE', TYPE_INVALID);
    await token.generateKey(AES, tokenMaterial('derive', NAMES));
    await token.generateKey(AES, wrappableMaterial('derive', NAMES));
    expect(door().objects.at(-1)).toMatchObject({ EXTRACTABLE: true, WRAP_WITH_TRUSTED: true });
    await open({ omitAttributes: ['COPYABLE', 'WRAP_WITH_TRUSTED'] });
    device.unknownAttributes.set('WRAP_WITH_TRUSTED', TYPE_INVALID);
    await expect(token.generateKey(AES, wrappableMaterial('derive', NAMES))).rejects.toMatchObject({ kind: 'unsupported' });
  });

  it('are never the ones that keep a key inside', async () => {
    device.unknownAttributes.set('SENSITIVE', TYPE_INVALID);
    await expect(token.generateKey(AES, tokenMaterial('derive', NAMES))).rejects.toMatchObject({ kind: 'unsupported' });
  });
});

describe('threads and deadlines', () => {
  it('make session keys in the anchor session and token keys on the slow threads', async () => {
    await token.generateKey(AES, tokenMaterial('derive', NAMES));
    expect(door().calls.at(-1)?.options).toEqual({ threads: 'slow', deadlineMs: 10_000 });
    await token.generateKey(AES, { ...tokenMaterial('derive', NAMES), TOKEN: false });
    expect(door().calls.at(-1)?.options).toEqual({ threads: 'anchor', deadlineMs: 10_000 });
  });

  it('give a call that waits behind a key pair the time of that key pair', async () => {
    await token.findObjects({}, []);
    expect(door().calls.at(-1)?.options).toEqual({ threads: 'slow', deadlineMs: 10_000 });
    device.fail('generateKeyPair', 'hangs');
    const pair = token
      .generateKeyPair({ name: 'RSA_PKCS_KEY_PAIR_GEN' }, { TOKEN: true }, { TOKEN: true, SENSITIVE: true })
      .catch(() => 'ended');
    await settle();
    expect(door().calls.at(-1)?.options).toEqual({ threads: 'slow', deadlineMs: 60_000 });
    await token.findObjects({}, []);
    expect(door().calls.at(-1)?.options).toEqual({ threads: 'slow', deadlineMs: 60_000 });
    await token.generateKey(AES, { ...tokenMaterial('derive', NAMES), TOKEN: false });
    expect(door().calls.at(-1)?.options).toEqual({ threads: 'anchor', deadlineMs: 10_000 });
    door().die();
    expect(await pair).toBe('ended');
  });
});

describe('handles', () => {
  it('of a key that was made while the token recovered are of the epoch in which the call began', async () => {
    const { object } = await token.generateKey(AES, { ...epochKey('key'), TOKEN: false });
    expect(token.isCurrent(object)).toBe(true);
    door().die();
    await settle();
    expect(token.isCurrent(object)).toBe(false);
    const calls = door().calls.length;
    await expect(token.destroyObject(object)).rejects.toMatchObject({ kind: 'handle' });
    await expect(token.encrypt({ name: 'AES_CBC', iv: new Uint8Array(16) }, object, new Uint8Array(16))).rejects.toMatchObject({
      kind: 'handle',
    });
    expect(door().calls.length).toBe(calls);
  });
});
