import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricSpec } from '../../../../src/keystore/material-binding.ts';
import { encodeExportedKey, macInput, parseExportedKey } from '../../../../src/keystore/pkcs11/exported-key-token.ts';

const exported = { algorithm: 'AES-KWP', wrappingKeyId: new Uint8Array(16).fill(3), wrapped: new Uint8Array(40).fill(4) } as const;
const mac = new Uint8Array(32).fill(5);
const key = { partition: 'aws', account: '111122223333', region: 'eu-central-1', keyId: 'key' };
const binding = {
  key,
  ...symmetricSpec,
  suite: 'direct',
  custody: 'full',
  materialId: 'ab'.repeat(32),
  fingerprint: new Uint8Array(48),
} as const;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the exported key token', () => {
  const body = encodeExportedKey(exported);

  it('parses to what it was made of', () => {
    const parsed = parseExportedKey(Buffer.concat([body, mac]))!;
    expect(parsed.exported.algorithm).toBe('AES-KWP');
    expect([parsed.exported.wrappingKeyId, parsed.exported.wrapped, parsed.body, parsed.mac].map(hex)).toEqual(
      [exported.wrappingKeyId, exported.wrapped, body, mac].map(hex),
    );
  });

  it('has the layout that is written down', () => {
    expect(hex(body)).toBe(['01', '02', '10', '03'.repeat(16), '0028', '04'.repeat(40)].join(''));
  });

  it('is not accepted with a byte more or less, or another format', () => {
    const record = Buffer.concat([body, mac]);
    expect(parseExportedKey(record.subarray(1))).toBeUndefined();
    expect(parseExportedKey(record.subarray(0, -1))).toBeUndefined();
    expect(parseExportedKey(Buffer.concat([record, Buffer.of(0)]))).toBeUndefined();
    expect(parseExportedKey(Buffer.concat([Buffer.of(2), record.subarray(1)]))).toBeUndefined();
  });

  it('never makes the parser throw, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, prefixed) => {
        parseExportedKey(prefixed ? Buffer.concat([Buffer.of(1, 1, 4), bytes]) : bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['partition', { key: { ...key, partition: 'aws-cn' } }],
    ['account', { key: { ...key, account: '999999999999' } }],
    ['key id', { key: { ...key, keyId: 'other' } }],
    ['spec', { keySpec: 'HMAC_256' }],
    ['usage', { keyUsage: 'SIGN_VERIFY' }],
    ['suite', { suite: 'derived-sp800-108' as const }],
    ['custody', { custody: 'reduced' as const }],
    ['material id', { materialId: 'cd'.repeat(32) }],
    ['fingerprint', { fingerprint: new Uint8Array(48).fill(1) }],
  ])('is bound to the %s of its material', (_name, change) => {
    expect(hex(macInput(body, { ...binding, ...change }))).not.toBe(hex(macInput(body, binding)));
  });

  it('is bound so that text cannot move from one field to the next', () => {
    const one = { ...binding, key: { ...key, partition: 'aws', account: '111122223333' } };
    const other = { ...binding, key: { ...key, partition: 'aws1', account: '11122223333' } };
    expect(hex(macInput(body, one))).not.toBe(hex(macInput(body, other)));
  });
});
