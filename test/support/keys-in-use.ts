/**
 * Keys of every kind that a token holds, in use through the API, and the proof that keys which were read out of the token are those: they
 * open a ciphertext, make a code, and belong to the public keys.
 */
import { createDecipheriv, createECDH, createHmac, randomBytes } from 'node:crypto';
import type { KMS } from '@aws-sdk/client-kms';
import { additionalData, parseCiphertextBlob, tagBytes } from '../../src/keys/ciphertext-blob.ts';
import type { CiphertextHeader } from '../../src/keys/ciphertext-blob.ts';
import { canonicalEncryptionContext } from '../../src/keys/encryption-context.ts';
import { epochLabel } from '../../src/keys/key-derivation.ts';
import { deriveKey } from '../../src/keystore/software/key-derivation.ts';
import type { StoredKey } from './softhsm-files.ts';

/** A key of each kind, and one round of what they are for. */
export interface KeysInUse {
  use(plaintext: Buffer): Promise<void>;
  /** Which of the token's keys are proven to be those of the service: by a ciphertext, a code and a public key. */
  proven(
    keys: readonly StoredKey[],
  ): Promise<{ readonly material: StoredKey; readonly messageKey: Uint8Array; readonly others: readonly StoredKey[] }>;
}

/** Makes the keys; `description` is that of the symmetric one. */
export async function makeKeys(kms: KMS, description: string): Promise<KeysInUse> {
  const create = async (spec: object): Promise<string> => (await kms.createKey(spec)).KeyMetadata?.KeyId ?? '';
  const symmetric = await create({ Description: description });
  const codes = await create({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const curve = await create({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  const rsa = await create({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  const mac = async (Message: Uint8Array): Promise<Uint8Array> =>
    (await kms.generateMac({ KeyId: codes, Message, MacAlgorithm: 'HMAC_SHA_256' })).Mac ?? new Uint8Array();
  return {
    use: async (plaintext) => {
      const { CiphertextBlob } = await kms.encrypt({ KeyId: symmetric, Plaintext: plaintext });
      await kms.decrypt({ CiphertextBlob });
      await mac(plaintext);
      await kms.sign({ KeyId: curve, Message: plaintext, SigningAlgorithm: 'ECDSA_SHA_256' });
      await kms.sign({ KeyId: rsa, Message: plaintext, SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256' });
    },
    proven: async (keys) => {
      const plaintext = randomBytes(16);
      const header = parseCiphertextBlob(
        (await kms.encrypt({ KeyId: symmetric, Plaintext: plaintext })).CiphertextBlob ?? new Uint8Array(),
      );
      const code = Buffer.from(await mac(plaintext));
      const point = Buffer.from((await kms.getPublicKey({ KeyId: curve })).PublicKey ?? new Uint8Array()).subarray(-64);
      const modulus = Buffer.from((await kms.getPublicKey({ KeyId: rsa })).PublicKey ?? new Uint8Array());
      if (header === undefined) throw new Error('the ciphertext does not parse');
      const material = found(keys, ({ value }) => value.length === 32 && opens(header, messageKey(header, value), plaintext));
      const others = [
        found(keys, ({ value }) => createHmac('sha256', value).update(plaintext).digest().equals(code)),
        found(keys, ({ value }) => value.length === 32 && pointOf(value).equals(point)),
        found(keys, ({ value }) => value.length === 128 && divides(value, modulus)),
      ];
      return { material, messageKey: messageKey(header, material.value), others };
    },
  };
}

/** The key that a ciphertext was made with, when `material` is the one of its KMS key. */
function messageKey(header: CiphertextHeader, material: Buffer): Uint8Array {
  return header.suite === 'direct' ? material : deriveKey(material, header.suite, epochLabel, header.epochNonce);
}

function opens(header: CiphertextHeader, key: Uint8Array, plaintext: Buffer): boolean {
  const decipher = createDecipheriv('aes-256-gcm', key, header.iv);
  decipher.setAAD(additionalData(header.headerBytes, canonicalEncryptionContext(undefined)));
  decipher.setAuthTag(header.sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(header.sealed.subarray(0, -tagBytes)), decipher.final()]).equals(plaintext);
  } catch {
    return false;
  }
}

function found(keys: readonly StoredKey[], isIt: (key: StoredKey) => boolean): StoredKey {
  const key = keys.find(isIt);
  if (key === undefined) throw new Error('no key that was read from the token is the one in use');
  return key;
}

function pointOf(scalar: Buffer): Buffer {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(scalar);
  return pair.getPublicKey().subarray(1);
}

/** Whether a prime divides the modulus of an RSA_2048 SubjectPublicKeyInfo, which ends with the exponent's five bytes. */
function divides(prime: Buffer, publicKey: Buffer): boolean {
  const modulus = BigInt(`0x${publicKey.subarray(-256 - 5, -5).toString('hex')}`);
  return modulus % BigInt(`0x${prime.toString('hex')}`) === 0n;
}
