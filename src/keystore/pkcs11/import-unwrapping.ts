/**
 * Material that was wrapped for its import, unwrapped by the token: RSAES-OAEP, or RSAES-OAEP of an AES key and AES-KWP under that key. Where
 * the token has not the digest, the OAEP block can be renewed with one that it has: its content is then in this process for that moment.
 */
import { oaepDigests } from '../../keys/algorithms.ts';
import type { Digest } from '../../keys/algorithms.ts';
import type { OaepWrappingRow } from '../../keys/import-wrapping.ts';
import { encryptWithPublicKey } from '../../keys/public-key-encryption.ts';
import type { AttributeName, Template } from '../../token/mechanism.ts';
import { stepKey } from '../../token/templates.ts';
import type { Capabilities, DescribedObject, Token } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import { algorithmService, hashNameOf } from './algorithm-service.ts';
import { withSessionObject } from './derivation.ts';
import type { FoundImportKey } from './import-keys.ts';
import { decryptIn } from './key-calls.ts';

export interface WrappedMaterial {
  readonly importKey: FoundImportKey;
  readonly digest: Digest;
  /** RSAES-OAEP, as long as the modulus. */
  readonly block: Uint8Array;
  /** AES-KWP under the key in `block`; undefined when that is the material. */
  readonly padded: Uint8Array | undefined;
  /** What CKA_UNWRAP_TEMPLATE of the import key demands of everything that is unwrapped. */
  readonly forced: Template;
  /** Length of the content of `block`, where it was in this process. */
  readonly seenBytes?: number;
}

const stepKeyBytes = 32;

/** Throws KeyStoreError `invalid-ciphertext` for what is too short or too long. */
export function splitWrapped(importKey: FoundImportKey, row: OaepWrappingRow, wrapped: Uint8Array, forced: Template): WrappedMaterial {
  const { modulusBytes } = importKey;
  const isWhole = row.scheme === 'oaep' ? wrapped.length === modulusBytes : wrapped.length > modulusBytes;
  if (!isWhole) throw doesNotUnwrap();
  const padded = row.scheme === 'oaep' ? undefined : wrapped.subarray(modulusBytes);
  return { importKey, digest: row.digest, block: wrapped.subarray(0, modulusBytes), padded, forced };
}

/** True when the token opens RSAES-OAEP with this digest. */
export function unwrapsDigest({ rsaOaepSha1, rsaOaepSha256 }: Capabilities, digest: Digest): boolean {
  return digest === 'sha1' ? rsaOaepSha1 : digest === 'sha256' && rsaOaepSha256;
}

/** The material as a key after `template`. Every call makes a key of the same bytes. Rejects with what the token says of bad wrapping. */
export function unwrapMaterial(
  token: Token,
  { importKey, digest, block, padded, forced }: WrappedMaterial,
  template: Template,
  readBack: readonly AttributeName[],
): Promise<DescribedObject> {
  const oaep = { name: 'RSA_PKCS_OAEP', hash: hashNameOf(digest) } as const;
  const essential = Object.keys(forced) as AttributeName[];
  const wanted = { ...template, ...forced };
  if (padded === undefined) return token.unwrapKey(oaep, importKey.object, block, wanted, readBack, essential);
  const step = { ...stepKey('hsm-kms import step'), ...forced };
  return token.unwrapKey(oaep, importKey.object, block, step, ['VALUE_LEN'], essential).then(({ object, attributes }) =>
    withSessionObject(token, object, (key) => {
      // A token that does not tell the length gives 0.
      if ((attributes.VALUE_LEN ?? 0) !== 0 && attributes.VALUE_LEN !== stepKeyBytes) throw doesNotUnwrap();
      return token.unwrapKey({ name: kwpOf(token) }, key, padded, wanted, readBack, essential);
    }),
  );
}

/** The same material in an OAEP block that the token opens itself. Who sees this process at that moment sees what is in the block. */
export async function renewBlock(token: Token, wrapped: WrappedMaterial): Promise<WrappedMaterial> {
  const { importKey, digest, block, padded } = wrapped;
  const { object, publicKey, modulusBytes } = importKey;
  const keySpec = `RSA_${modulusBytes * 8}`;
  const algorithm = nameOf(digest);
  const own = (['sha1', 'sha256'] as const).find((name) => unwrapsDigest(token.capabilities, name));
  const service = algorithmService(keySpec, algorithm, token.capabilities);
  if (own === undefined || service.how === 'refused') throw new KeyStoreError('unsupported', 'The token unwraps no keys with RSA-OAEP');
  const content = await decryptIn({ token, object, keySpec }, service, algorithm, block);
  try {
    if (padded !== undefined && content.length !== stepKeyBytes) throw doesNotUnwrap();
    return { ...wrapped, digest: own, block: encryptWithPublicKey(publicKey, nameOf(own), content), seenBytes: content.length };
  } finally {
    content.fill(0);
  }
}

/** All that does not unwrap is refused in these words, so that nobody learns what is inside. */
export function doesNotUnwrap(options?: { readonly cause: unknown }): KeyStoreError {
  return new KeyStoreError('invalid-ciphertext', 'The key material does not unwrap', options);
}

function nameOf(digest: Digest): string {
  return [...oaepDigests].find(([, row]) => row.digest === digest)?.[0] ?? '';
}

function kwpOf(token: Token): NonNullable<Capabilities['kwp']> {
  const { kwp } = token.capabilities;
  if (kwp === undefined) throw new KeyStoreError('unsupported', 'The token cannot unwrap keys with AES-KWP');
  return kwp;
}
