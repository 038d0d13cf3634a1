/** AES-256-GCM of Project Wycheproof in the vault of the software key store. */
import { expect, it } from 'vitest';
import { KeyStoreError } from '../../../../src/keystore/keystore.ts';
import { MemoryVault } from '../../../../src/keystore/software/memory-vault.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import { wrongAnswers, wycheproof } from '../../../support/wycheproof.ts';
import type { Vector } from '../../../support/wycheproof.ts';

const vault = new MemoryVault(new SecretBytes(new Uint8Array(32)));
const vectors = wycheproof('aes_gcm').filter(({ text }) => text('keySize') === '256' && text('ivSize') === '96');
const keyOf = ({ bytes }: Vector): SecretBytes => new SecretBytes(Uint8Array.from(bytes('key')));
const sealedOf = ({ bytes }: Vector): Buffer => Buffer.concat([bytes('ct'), bytes('tag')]);

it('opens what is right, and nothing with an altered tag', async () => {
  const wrong = await wrongAnswers(vectors, async (vector) => {
    try {
      const plaintext = await vault.decrypt(keyOf(vector), vector.bytes('iv'), vector.bytes('aad'), sealedOf(vector));
      return Buffer.compare(plaintext, vector.bytes('msg')) === 0;
    } catch (error) {
      if (error instanceof KeyStoreError && error.kind === 'invalid-ciphertext') return false;
      throw error;
    }
  });
  expect([vectors.length > 0, wrong]).toEqual([true, []]);
});

it('seals to the byte', async () => {
  const right = vectors.filter(({ result }) => result === 'valid');
  const wrong = await wrongAnswers(right, async (vector) => {
    const { sealed } = await vault.encrypt(keyOf(vector), vector.bytes('iv'), vector.bytes('aad'), vector.bytes('msg'));
    return Buffer.compare(sealed, sealedOf(vector)) === 0;
  });
  expect(wrong).toEqual([]);
});
