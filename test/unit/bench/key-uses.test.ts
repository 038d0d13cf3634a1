/** Which uses of keys are measured where. */
import { describe, expect, it } from 'vitest';
import { keyUseCells } from '../../../src/bench/key-uses.ts';

const layersOf = (tokenSpecs: readonly string[], operation: string, spec: string): readonly string[] =>
  keyUseCells('c', tokenSpecs, ['RSA_2048', 'HMAC_256', 'ECC_NIST_P256'])
    .filter(({ workload }) => workload.operation === operation && workload.key?.spec === spec)
    .map(({ layer }) => layer);

describe('the uses of keys that are measured', () => {
  it('are those of the token, with C beside them, as soon as its key store lists the spec', () => {
    expect(layersOf([], 'GenerateMac', 'HMAC_256')).toEqual(['node-crypto', 'software-store', 'software-use']);
    expect(layersOf(['HMAC_256'], 'GenerateMac', 'HMAC_256')).toEqual([
      'c',
      'key-store',
      'key-use',
      'node-crypto',
      'software-store',
      'software-use',
    ]);
  });

  it('leave out what no key store serves', () => {
    expect(layersOf([], 'Sign', 'ECC_NIST_P384')).toEqual([]);
  });

  it('ask no token and no key store about a public key', () => {
    expect(layersOf(['ECC_NIST_P256'], 'Verify', 'ECC_NIST_P256')).toEqual(['node-crypto', 'software-use']);
  });
});
