/**
 * Key pairs made in this process, for the software key store and for data key pairs, whose private key the API must return anyway.
 * RSA and elliptic-curve pairs are made off the event loop.
 */
import { generateKeyPair as generate } from 'node:crypto';
import { keyShape } from './algorithms.ts';
import { keyPairOfSeed, seedBytes } from './post-quantum.ts';
import type { EncodedKeyPair } from './post-quantum.ts';

export type { EncodedKeyPair };

const encoding = { publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'der' } } as const;
const publicExponent = 65_537;

/**
 * A new pair: public key as DER SubjectPublicKeyInfo, private key as DER PKCS#8 (RFC 5958), which the caller wipes. Rejects with
 * RangeError for specs that are no key pairs.
 */
export async function generateKeyPair(keySpec: string, randomBytes: (lengthBytes: number) => Uint8Array): Promise<EncodedKeyPair> {
  const shape = keyShape(keySpec);
  switch (shape.type) {
    case 'rsa':
      return made((done) => generate('rsa', { modulusLength: shape.modulusBits, publicExponent, ...encoding }, done));
    case 'ec':
      return made((done) => generate('ec', { namedCurve: shape.curve, paramEncoding: 'named', ...encoding }, done));
    case 'sm2':
      return made((done) => generate('ec', { namedCurve: 'SM2', paramEncoding: 'named', ...encoding }, done));
    case 'ed25519':
      return made((done) => generate('ed25519', encoding, done));
    case 'ml-dsa':
    case 'ml-kem': {
      const seed = randomBytes(seedBytes(shape.parameters));
      try {
        return keyPairOfSeed(shape.parameters, seed);
      } finally {
        seed.fill(0);
      }
    }
    case 'aes':
    case 'hmac':
      break;
  }
  throw new RangeError(`Key pairs of ${keySpec} are not made in software`);
}

type Done = (error: Error | null, publicKey: Buffer, privateKey: Buffer) => void;

function made(begin: (done: Done) => void): Promise<EncodedKeyPair> {
  return new Promise((resolve, reject) => {
    begin((error, publicKey, privateKey) => (error === null ? resolve({ publicKey, privateKey }) : reject(error)));
  });
}
