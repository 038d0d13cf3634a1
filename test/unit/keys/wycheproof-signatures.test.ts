/** Signatures of Project Wycheproof, good and forged, held against Verify. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signingAlgorithm } from '../../../src/keys/algorithms.ts';
import type { MessageType } from '../../../src/keys/algorithms.ts';
import { isSignatureValid } from '../../../src/keys/verify-signature.ts';
import { wrongAnswers, wycheproof } from '../../support/wycheproof.ts';
import type { Vector } from '../../support/wycheproof.ts';

interface SignatureFile {
  readonly name: string;
  readonly keySpec: string;
  readonly algorithm: string;
  /** What the service answers where it is stricter than the file. */
  readonly expected?: (vector: Vector) => Vector['result'];
}

const never = (): 'invalid' => 'invalid';
const ifSaltOf32 = ({ comment }: Vector): Vector['result'] => (comment === 's_len changed to 32' ? 'valid' : 'invalid');
const files: readonly SignatureFile[] = [
  { name: 'ecdsa_secp256r1_sha256', keySpec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256' },
  { name: 'ecdsa_secp384r1_sha384', keySpec: 'ECC_NIST_P384', algorithm: 'ECDSA_SHA_384' },
  { name: 'ecdsa_secp521r1_sha512', keySpec: 'ECC_NIST_P521', algorithm: 'ECDSA_SHA_512' },
  { name: 'ecdsa_secp256k1_sha256', keySpec: 'ECC_SECG_P256K1', algorithm: 'ECDSA_SHA_256' },
  { name: 'rsa_signature_2048_sha256', keySpec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256' },
  { name: 'rsa_signature_3072_sha384', keySpec: 'RSA_3072', algorithm: 'RSASSA_PKCS1_V1_5_SHA_384' },
  { name: 'rsa_signature_4096_sha512', keySpec: 'RSA_4096', algorithm: 'RSASSA_PKCS1_V1_5_SHA_512' },
  { name: 'rsa_pss_2048_sha256_mgf1_32', keySpec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256' },
  { name: 'rsa_pss_2048_sha384_mgf1_48', keySpec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_384' },
  { name: 'rsa_pss_4096_sha512_mgf1_64', keySpec: 'RSA_4096', algorithm: 'RSASSA_PSS_SHA_512' },
  // Salts of another length than the digest's, and masks of another digest.
  { name: 'rsa_pss_2048_sha256_mgf1_0', keySpec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256', expected: ifSaltOf32 },
  { name: 'rsa_pss_4096_sha512_mgf1_32', keySpec: 'RSA_4096', algorithm: 'RSASSA_PSS_SHA_512', expected: never },
  { name: 'rsa_pss_2048_sha256_mgf1sha1_20', keySpec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256', expected: never },
];

async function accepts({ keySpec, algorithm }: SignatureFile, vector: Vector, messageType: MessageType): Promise<boolean> {
  const raw = vector.bytes('msg');
  const { digest = '' } = signingAlgorithm(algorithm);
  const message = messageType === 'DIGEST' ? createHash(digest).update(raw).digest() : raw;
  return isSignatureValid({ keySpec, algorithm, publicKey: vector.bytes('publicKeyDer'), messageType, message }, vector.bytes('sig'));
}

describe.each(files)('the signatures of $name', (file) => {
  const vectors = wycheproof(file.name);

  it.each(['RAW', 'DIGEST'] as const)('are told from forged ones, the message given as %s', async (messageType) => {
    expect(await wrongAnswers(vectors, (vector) => accepts(file, vector, messageType), file.expected)).toEqual([]);
  });

  it('are judged alike whether the message or its digest is given', async () => {
    for (const vector of vectors) {
      expect([vector.tcId, await accepts(file, vector, 'DIGEST')]).toEqual([vector.tcId, await accepts(file, vector, 'RAW')]);
    }
  });
});

describe('the signatures of ed25519', () => {
  it('are told from forged ones', async () => {
    const about = { keySpec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512', messageType: 'RAW' } as const;
    const wrong = await wrongAnswers(wycheproof('ed25519'), (vector) =>
      isSignatureValid({ ...about, publicKey: vector.bytes('publicKeyDer'), message: vector.bytes('msg') }, vector.bytes('sig')),
    );
    expect(wrong).toEqual([]);
  });
});

describe.each(['44', '65', '87'])('the signatures of mldsa_%s', (size) => {
  it('are told from forged ones, and from those made for a context', async () => {
    const about = { keySpec: `ML_DSA_${size}`, algorithm: 'ML_DSA_SHAKE_256', messageType: 'RAW' } as const;
    // A public key of another length can be no key of the service.
    const vectors = wycheproof(`mldsa_${size}_verify`).filter(({ flags }) => !flags.includes('IncorrectPublicKeyLength'));
    const wrong = await wrongAnswers(
      vectors,
      (vector) =>
        isSignatureValid({ ...about, publicKey: vector.bytes('publicKeyDer'), message: vector.bytes('msg') }, vector.bytes('sig')),
      (vector) => (vector.has('ctx') && vector.text('ctx') !== '' ? 'invalid' : vector.result),
    );
    expect(wrong).toEqual([]);
  });
});
