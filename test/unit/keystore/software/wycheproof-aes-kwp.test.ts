/** AES-KWP of Project Wycheproof as the second step of RSA_AES_KEY_WRAP. */
import { constants, generateKeyPairSync, publicEncrypt } from 'node:crypto';
import { expect, it } from 'vitest';
import { KeyStoreError } from '../../../../src/keystore/keystore.ts';
import { unwrapImport } from '../../../../src/keystore/software/wrapped-import.ts';
import { wrongAnswers, wycheproof } from '../../../support/wycheproof.ts';
import type { Vector } from '../../../support/wycheproof.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
const padding = constants.RSA_PKCS1_OAEP_PADDING;

/** Material of another length than an HMAC_256 key's unwraps, and is then refused in other words. */
function unwraps({ bytes }: Vector): boolean {
  const wrapped = Buffer.concat([publicEncrypt({ key: publicKey, padding, oaepHash: 'sha256' }, bytes('key')), bytes('ct')]);
  try {
    const { secret } = unwrapImport({ keySpec: 'HMAC_256', wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256', wrapped }, pkcs8);
    return Buffer.compare(secret, bytes('msg')) === 0;
  } catch (error) {
    if (error instanceof KeyStoreError && error.kind === 'incorrect-material') return bytes('msg').length !== 32;
    if (error instanceof KeyStoreError && error.kind === 'invalid-ciphertext') return false;
    throw error;
  }
}

it('unwraps what is right, and nothing with altered padding', async () => {
  const vectors = wycheproof('aes_kwp').filter(({ text }) => text('keySize') === '256');
  const whole = vectors.filter(({ bytes, result }) => result === 'valid' && bytes('msg').length === 32);
  expect([whole.length > 0, await wrongAnswers(vectors, unwraps)]).toEqual([true, []]);
});
