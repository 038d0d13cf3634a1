/** Measurements of key pairs over a real module whose answers are tampered with: what is not exactly right does not count. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { derSignature } from '../../../../src/keys/ecdsa-signature.ts';
import { callClasses } from '../../../../src/token/call-classes.ts';
import { measureEcdh, measureEcdsa, measureEdDsa } from '../../../../src/token/capabilities/curve-probes.ts';
import { measureHmacs } from '../../../../src/token/capabilities/mac-probes.ts';
import {
  copiesPrivateInside,
  keepsPrivateInside,
  measureWrapsPrivate,
  unwrapsPrivateInside,
} from '../../../../src/token/capabilities/private-key-probes.ts';
import { ProbeBench } from '../../../../src/token/capabilities/probe-bench.ts';
import { generateRsaPairs, measureRsa } from '../../../../src/token/capabilities/rsa-probes.ts';
import { CryptokiError } from '../../../../src/token/cryptoki.ts';
import type { Cryptoki } from '../../../../src/token/cryptoki.ts';
import { openProvisioned, tokenConfig } from '../../../support/opened-token.ts';
import type { OpenedToken } from '../../../support/opened-token.ts';
import { hasSoftHsm, provisionSoftHsm } from '../../../support/softhsm.ts';
import type { ProvisionedToken } from '../../../support/softhsm.ts';

type Bytes = (bytes: Uint8Array) => Uint8Array;

const flip: Bytes = (bytes) => Uint8Array.from(bytes, (byte, at) => (at === 5 ? byte ^ 1 : byte));

describe.skipIf(!hasSoftHsm())('measuring key pairs', () => {
  let provisioned: ProvisionedToken;
  let opened: OpenedToken;
  let door: Cryptoki;
  let bench: ProbeBench;

  beforeAll(async () => {
    provisioned = provisionSoftHsm();
    opened = await openProvisioned(provisioned);
    door = opened.doors.at(-1) as Cryptoki;
  });
  afterAll(async () => {
    await opened?.token.close();
    provisioned?.remove();
  });
  beforeEach(() => {
    bench = new ProbeBench(door, callClasses(tokenConfig(provisioned).deadlinesMs));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await bench.clear();
  });

  function tamper(method: 'sign' | 'decrypt', change: Bytes): void {
    const right = door[method].bind(door);
    vi.spyOn(door, method).mockImplementation(async (...call) => change(await right(...call)));
  }

  it('finds what works', async () => {
    expect(await measureEcdsa(bench)).toEqual(['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1']);
    expect(await measureEcdh(bench)).toEqual(['prime256v1', 'secp384r1', 'secp521r1']);
    expect(await measureEdDsa(bench)).toEqual({ ed25519: true, ed25519ph: false });
    expect(await measureHmacs(bench)).toEqual(['SHA224', 'SHA256', 'SHA384', 'SHA512']);
    expect(await keepsPrivateInside(bench, {})).toBe(true);
    expect(await keepsPrivateInside(bench, { EXTRACTABLE: true, WRAP_WITH_TRUSTED: true })).toBe(true);
    expect(await copiesPrivateInside(bench)).toBe(true);
    expect(await unwrapsPrivateInside(bench, 'AES_KEY_WRAP_PAD')).toBe(true);
  });

  it('does not count signatures and MACs that are wrong', async () => {
    tamper('sign', flip);
    expect(await measureEcdsa(bench)).toEqual([]);
    expect(await measureEdDsa(bench)).toEqual({ ed25519: false, ed25519ph: false });
    expect(await measureHmacs(bench)).toEqual([]);
    const pairs = await generateRsaPairs(bench);
    expect(await measureRsa(bench, pairs)).toMatchObject({ rsaPkcs1: false, rsaPss: [], rsaRawSign: false });
  });

  it('does not count ECDSA that answers DER', async () => {
    tamper('sign', derSignature);
    expect(await measureEcdsa(bench)).toEqual([]);
  });

  it('does not count an RSA operation that leaves leading zeros away, and no decryption that gives anything else', async () => {
    const pairs = await generateRsaPairs(bench);
    expect(await measureRsa(bench, pairs)).toMatchObject({ rsaOaepSha1: true, rsaOaepSha256: false, rsaRawDecrypt: true });
    tamper('decrypt', (bytes) => bytes.subarray(bytes.findIndex((byte) => byte !== 0)));
    expect(await measureRsa(bench, pairs)).toMatchObject({ rsaOaepSha1: true, rsaRawDecrypt: false });
    vi.restoreAllMocks();
    tamper('decrypt', flip);
    expect(await measureRsa(bench, pairs)).toMatchObject({ rsaOaepSha1: false, rsaRawDecrypt: false });
  });

  it('does not count ECDH whose secret is another one, or cannot be read', async () => {
    const deriveKey = door.deriveKey.bind(door);
    const spy = vi.spyOn(door, 'deriveKey').mockImplementation(async (...call) => {
      const made = await deriveKey(...call);
      return { ...made, attributes: { ...made.attributes, VALUE: flip(made.attributes.VALUE ?? new Uint8Array()) } };
    });
    expect(await measureEcdh(bench)).toEqual([]);
    spy.mockImplementation(async (...call) => ({ ...(await deriveKey(...call)), attributes: {} }));
    expect(await measureEcdh(bench)).toEqual([]);
  });

  it('measures one RSA pair for both uses, and two where the token does not mix them', async () => {
    const both = await generateRsaPairs(bench);
    expect(both.signing).toBe(both.decrypting);
    const generate = door.generateKeyPair.bind(door);
    vi.spyOn(door, 'generateKeyPair').mockImplementation((mechanism, publicPart, privatePart, ...rest) =>
      privatePart.SIGN === true && privatePart.DECRYPT === true
        ? Promise.reject(new CryptokiError(0xd1, 'C_GenerateKeyPair', 'CKR_TEMPLATE_INCONSISTENT'))
        : generate(mechanism, publicPart, privatePart, ...rest),
    );
    const apart = await generateRsaPairs(bench);
    expect(apart.signing).not.toBe(apart.decrypting);
    expect(await measureRsa(bench, apart)).toMatchObject({ rsaPkcs1: true, rsaOaepSha1: true });
  });

  it('counts wrapping of private keys only when they come back as asked for, and sign', async () => {
    const { signing } = await generateRsaPairs(bench);
    expect(await measureWrapsPrivate(bench, 'AES_KEY_WRAP_PAD', signing)).toEqual(['RSA', 'EC']);
    expect(await measureWrapsPrivate(bench, undefined, signing)).toEqual([]);
    const unwrapKey = door.unwrapKey.bind(door);
    vi.spyOn(door, 'unwrapKey').mockImplementation(async (...call) => {
      const made = await unwrapKey(...call);
      return { ...made, attributes: { ...made.attributes, EXTRACTABLE: true } };
    });
    expect(await measureWrapsPrivate(bench, 'AES_KEY_WRAP_PAD', signing)).toEqual([]);
  });

  it('sees a private key that can be wrapped out although it may not be', async () => {
    expect(await keepsPrivateInside(bench, { EXTRACTABLE: true })).toBe(false);
    vi.spyOn(door, 'wrapKey').mockResolvedValue(new Uint8Array(64));
    expect(await keepsPrivateInside(bench, {})).toBe(false);
  });

  it('sees a private key that a copy or an unwrapping makes weaker', async () => {
    const weak = { SENSITIVE: false, EXTRACTABLE: true } as const;
    const copyObject = door.copyObject.bind(door);
    vi.spyOn(door, 'copyObject').mockImplementation(async (object, _changes, ...rest) => ({
      ...(await copyObject(object, { TOKEN: false }, ...rest)),
      attributes: weak,
    }));
    expect(await copiesPrivateInside(bench)).toBe(false);
    const unwrapKey = door.unwrapKey.bind(door);
    vi.spyOn(door, 'unwrapKey').mockImplementation(async (mechanism, key, wrapped, template, ...rest) => ({
      ...(await unwrapKey(mechanism, key, wrapped, { ...template, SENSITIVE: true, EXTRACTABLE: false }, ...rest)),
      attributes: weak,
    }));
    expect(await unwrapsPrivateInside(bench, 'AES_KEY_WRAP_PAD')).toBe(false);
  });

  it('leaves no object behind', async () => {
    await generateRsaPairs(bench);
    await measureEcdh(bench);
    await bench.clear();
    for (const CLASS of ['PRIVATE_KEY', 'PUBLIC_KEY'] as const) expect(await opened.token.findObjects({ CLASS }, [])).toEqual([]);
  });
});
