/** Published vectors on keys whose bytes are known, in every place that can hold such a key. */
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { EcCurve } from '../../src/keys/algorithms.ts';
import { ecPair, rsaPair, softwarePlace } from '../support/known-keys.ts';
import { importedPlace } from '../support/imported-keys.ts';
import type { HeldKey, KnownKey } from '../support/known-keys.ts';
import { wrongAnswers, wycheproof } from '../support/wycheproof.ts';
import type { Vector } from '../support/wycheproof.ts';

const macs = [
  { name: 'hmac_sha224', keySpec: 'HMAC_224', algorithm: 'HMAC_SHA_224', keyBits: '224' },
  { name: 'hmac_sha256', keySpec: 'HMAC_256', algorithm: 'HMAC_SHA_256', keyBits: '256' },
  { name: 'hmac_sha384', keySpec: 'HMAC_384', algorithm: 'HMAC_SHA_384', keyBits: '384' },
  { name: 'hmac_sha512', keySpec: 'HMAC_512', algorithm: 'HMAC_SHA_512', keyBits: '512' },
] as const;

const withLabel = ({ result, ...vector }: Vector): Vector['result'] => (vector.text('label') === '' ? result : 'invalid');
const oaep = [
  { name: 'rsa_oaep_2048_sha1_mgf1sha1', keySpec: 'RSA_2048', algorithm: 'RSAES_OAEP_SHA_1', expected: withLabel },
  { name: 'rsa_oaep_2048_sha256_mgf1sha256', keySpec: 'RSA_2048', algorithm: 'RSAES_OAEP_SHA_256', expected: withLabel },
  { name: 'rsa_oaep_3072_sha256_mgf1sha256', keySpec: 'RSA_3072', algorithm: 'RSAES_OAEP_SHA_256', expected: withLabel },
  { name: 'rsa_oaep_4096_sha256_mgf1sha256', keySpec: 'RSA_4096', algorithm: 'RSAES_OAEP_SHA_256', expected: withLabel },
  // The mask is of another digest than the label's, which the API does not have.
  { name: 'rsa_oaep_2048_sha256_mgf1sha1', keySpec: 'RSA_2048', algorithm: 'RSAES_OAEP_SHA_256', expected: (): 'invalid' => 'invalid' },
] as const;

const signatures = [
  { name: 'rsa_pkcs1_2048_sig_gen', keySpec: 'RSA_2048' },
  { name: 'rsa_pkcs1_4096_sig_gen', keySpec: 'RSA_4096' },
] as const;

const agreements: readonly { readonly name: string; readonly keySpec: string; readonly curve: EcCurve }[] = [
  { name: 'ecdh_secp256r1', keySpec: 'ECC_NIST_P256', curve: 'prime256v1' },
  { name: 'ecdh_secp384r1', keySpec: 'ECC_NIST_P384', curve: 'secp384r1' },
  { name: 'ecdh_secp521r1', keySpec: 'ECC_NIST_P521', curve: 'secp521r1' },
];

const places = [softwarePlace(), await importedPlace()];

describe.each(places)('keys in $name', { timeout: 120_000 }, (place) => {
  afterAll(() => place.close());

  /** Holds each distinct key once. */
  function keeper(): (id: string, make: () => KnownKey) => Promise<HeldKey> {
    const held = new Map<string, Promise<HeldKey>>();
    return (id, make) => {
      const key = held.get(id) ?? place.hold(make());
      held.set(id, key);
      return key;
    };
  }

  it.each(macs)('give the codes of $name, and no code that was altered', async ({ name, keySpec, algorithm, keyBits }) => {
    const keep = keeper();
    // Codes are whole here, keys as long as the spec says, and messages not empty.
    const vectors = wycheproof(name).filter(({ text }) => text('keySize') === keyBits && text('tagSize') === keyBits && text('msg') !== '');
    const wrong = await wrongAnswers(vectors, async ({ text, bytes }) => {
      const key = await keep(text('key'), () => ({ keySpec, keyUsage: 'GENERATE_VERIFY_MAC', secret: bytes('key') }));
      return key.isCode(algorithm, bytes('msg'), bytes('tag'));
    });
    expect([vectors.length > 0, wrong]).toEqual([true, []]);
  });

  it.each(oaep)('open the ciphertexts of $name, and refuse the malformed ones', async ({ name, keySpec, algorithm, expected }) => {
    const keep = keeper();
    const accepts = async ({ text, bytes }: Vector): Promise<boolean> => {
      const key = await keep(text('privateKeyPkcs8'), () => ({
        keySpec,
        keyUsage: 'ENCRYPT_DECRYPT',
        ...rsaPair(bytes('privateKeyPkcs8')),
      }));
      const plaintext = await key.decrypt(algorithm, bytes('ct'));
      return plaintext !== undefined && Buffer.compare(plaintext, bytes('msg')) === 0;
    };
    expect(await wrongAnswers(wycheproof(name), accepts, expected)).toEqual([]);
  });

  it.each(signatures)('sign to the byte as $name, the message or its digest given', async ({ name, keySpec }) => {
    const keep = keeper();
    const vectors = wycheproof(name).filter(({ text }) => /^SHA-(256|384|512)$/.test(text('sha')) && text('msg') !== '');
    const signs = async ({ text, bytes }: Vector): Promise<boolean> => {
      const key = await keep(text('privateKeyPkcs8'), () => ({ keySpec, keyUsage: 'SIGN_VERIFY', ...rsaPair(bytes('privateKeyPkcs8')) }));
      const algorithm = `RSASSA_PKCS1_V1_5_${text('sha').replace('-', '_')}`;
      const digest = createHash(text('sha')).update(bytes('msg')).digest();
      const made = [await key.sign(algorithm, 'RAW', bytes('msg')), await key.sign(algorithm, 'DIGEST', digest)];
      return made.every((signature) => Buffer.compare(signature, bytes('sig')) === 0);
    };
    expect([vectors.length > 0, await wrongAnswers(vectors, signs)]).toEqual([true, []]);
  });

  it.each(agreements)('agree on the secrets of $name, and with no key of another curve or none', async ({ name, keySpec, curve }) => {
    const keep = keeper();
    const accepts = async ({ text, bytes }: Vector): Promise<boolean> => {
      const key = await keep(text('private'), () => ({ keySpec, keyUsage: 'KEY_AGREEMENT', ...ecPair(curve, bytes('private')) }));
      const secret = await key.agree(bytes('public'));
      return secret !== undefined && Buffer.compare(secret, bytes('shared')) === 0;
    };
    expect(await wrongAnswers(wycheproof(name), accepts)).toEqual([]);
  });
});
