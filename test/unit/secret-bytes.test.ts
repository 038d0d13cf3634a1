import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../../src/secret-bytes.ts';

describe('secret bytes', () => {
  it('leave the array that they came in', () => {
    const given = Uint8Array.of(1, 2, 3);
    const secret = new SecretBytes(given);
    expect([...given]).toEqual([0, 0, 0]);
    expect(secret.expose((bytes) => [...bytes])).toEqual([1, 2, 3]);
  });

  it('are gone once they were wiped', () => {
    const secret = SecretBytes.fromText('pin');
    secret.wipe();
    expect(secret.expose((bytes) => [...bytes])).toEqual([0, 0, 0]);
  });

  it('do not show as text, JSON or to an inspector', () => {
    const secret = SecretBytes.fromText('pin');
    expect([String(secret), JSON.stringify({ secret }), inspect(secret)].join()).not.toMatch(/pin|112/);
  });
});
