/**
 * Key pairs that are made in the token to be handed out, as GenerateDataKeyPair does: with the token's generator, and out of it wrapped under
 * a key that is known here. Nothing of them stays in the token.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { aeskwp } from '@noble/ciphers/aes.js';
import { keyShape } from '../../keys/algorithms.ts';
import type { EncodedKeyPair } from '../../keys/key-pair.ts';
import { generationOf, keyTypeOf, publicTemplate } from '../../token/key-pairs.ts';
import { handedOutKey, knownWrappingKey, privateForm } from '../../token/templates.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import { withSessionObject } from './derivation.ts';

/** A pair, whose private key (DER PKCS#8) the caller wipes; undefined for specs whose keys this token does not make or wrap. Safe to run twice. */
export async function createDataKeyPair(token: Token, keySpec: string): Promise<EncodedKeyPair | undefined> {
  const shape = keyShape(keySpec);
  if (shape.type !== 'rsa' && shape.type !== 'ec' && shape.type !== 'ed25519') return undefined;
  const { wrapsPrivate, ecdsa } = token.capabilities;
  if (!wrapsPrivate.includes(keyTypeOf(shape)) || (shape.type === 'ec' && !ecdsa.includes(shape.curve))) return undefined;
  const template = handedOutKey(privateForm(keyTypeOf(shape), 'SIGN'));
  const { publicKey, privateKey } = await token.generateKeyPair(generationOf(shape), publicTemplate(shape, 'SIGN'), template);
  const wrapped = await withSessionObject(token, publicKey.object, () =>
    withSessionObject(token, privateKey.object, (object) => wrapKnown(token, object)),
  );
  return encode(wrapped);
}

interface KnownWrapping {
  readonly key: Uint8Array;
  readonly wrapped: Uint8Array;
}

/** The key is a fresh one, and read back: no key passes into the token. */
async function wrapKnown(token: Token, object: TokenObject): Promise<KnownWrapping> {
  const { kwp } = token.capabilities;
  if (kwp === undefined) throw new KeyStoreError('unsupported', 'The token cannot wrap keys with AES-KWP');
  const wrapping = await token.generateKey({ name: 'AES_KEY_GEN' }, knownWrappingKey, ['VALUE']);
  return withSessionObject(token, wrapping.object, async (wrappingKey) => {
    const { VALUE: key } = wrapping.attributes;
    if (key === undefined) throw new KeyStoreError('unsupported', 'The token does not show a key that it made to be read');
    try {
      return { key, wrapped: await token.wrapKey({ name: kwp }, wrappingKey, object) };
    } catch (error) {
      key.fill(0);
      throw error;
    }
  });
}

function encode({ key, wrapped }: KnownWrapping): EncodedKeyPair {
  try {
    return reencode(aeskwp(key).decrypt(wrapped));
  } finally {
    key.fill(0);
  }
}

/** As OpenSSL encodes it, whatever the token leaves away. The public half is computed from the private one. Wipes `unwrapped`. */
function reencode(unwrapped: Uint8Array): EncodedKeyPair {
  try {
    const encoded = Buffer.from(unwrapped.buffer, unwrapped.byteOffset, unwrapped.length);
    const privateKey = createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' });
    return {
      publicKey: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
      privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
    };
  } finally {
    unwrapped.fill(0);
  }
}
