/** The RSA pairs that customers wrap key material for. The private half is a token object, named by its CKA_ID and a label of its own. */
import { keyShape } from '../../keys/algorithms.ts';
import { wrappingKeySpecs } from '../../keys/import-wrapping.ts';
import { generationOf, publicKeyAttributes, publicKeyOf, publicTemplate } from '../../token/key-pairs.ts';
import { importPrivateKey } from '../../token/templates.ts';
import type { ImportKeyUse } from '../../token/templates.ts';
import { TokenError } from '../../token/token-error.ts';
import type { DescribedObject, Token, TokenObject } from '../../token/token.ts';
import type { ImportKey } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { destroySessionObject } from './derivation.ts';
import { importKeyLabel, neverTwice } from './resident-materials.ts';

/** The private half in the token, with what is known of it. */
export interface FoundImportKey {
  readonly object: TokenObject;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly modulusBytes: number;
}

/** `again`: an earlier attempt may have left a pair, which nobody has seen. */
export async function createImportKey(
  token: Token,
  wrappingKeySpec: string,
  objectId: Uint8Array,
  use: ImportKeyUse,
  again: boolean,
): Promise<ImportKey> {
  const shape = wrappingKeySpecs.includes(wrappingKeySpec) ? keyShape(wrappingKeySpec) : undefined;
  if (shape?.type !== 'rsa') throw new KeyStoreError('unsupported', `The token makes no wrapping keys of spec ${wrappingKeySpec}`);
  if (again) await destroyImportKey(token, objectId);
  const template = importPrivateKey({ id: objectId, label: importKeyLabel }, use);
  const publicHalf = publicTemplate(shape, 'DECRYPT');
  const pair = await token.generateKeyPair(generationOf(shape), publicHalf, template, publicKeyAttributes).catch(neverTwice);
  const publicKey = publicKeyOf(shape, pair.publicKey.attributes);
  await destroySessionObject(token, pair.publicKey.object);
  if (publicKey !== undefined) return { publicKey, reference: objectId };
  await token.destroyObject(pair.privateKey.object);
  throw new KeyStoreError('refused', 'The token made a wrapping key of another kind than it was asked for; it was destroyed');
}

/** Rejects with `material-missing` unless the token shows exactly one. */
export async function findImportKey(token: Token, reference: Uint8Array): Promise<FoundImportKey> {
  const [found, ...more] = await search(token, reference);
  const { MODULUS: modulus } = found?.attributes ?? {};
  if (found === undefined || modulus === undefined || more.length > 0)
    throw new KeyStoreError(
      'material-missing',
      'The token does not show the wrapping key of this import now; get new parameters for import',
    );
  const modulusBytes =
    modulus.length -
    Math.max(
      0,
      modulus.findIndex((byte) => byte !== 0),
    );
  const publicKey = publicKeyOf({ type: 'rsa', modulusBits: modulusBytes * 8 }, found.attributes);
  if (publicKey === undefined) throw new KeyStoreError('internal', 'The token does not show the public half of a wrapping key');
  return { object: found.object, publicKey, modulusBytes };
}

/** Of a pair that is not there, nothing is left to do. Nothing but import keys is destroyed, whatever the id names. */
export async function destroyImportKey(token: Token, reference: Uint8Array): Promise<void> {
  for (const { object } of await search(token, reference)) await token.destroyObject(object);
  if ((await search(token, reference)).length > 0) throw new TokenError('device', 'A destroyed object is still in the token');
}

function search(token: Token, reference: Uint8Array): Promise<readonly DescribedObject[]> {
  return token.findObjects({ CLASS: 'PRIVATE_KEY', TOKEN: true, ID: reference, LABEL: importKeyLabel }, ['MODULUS', 'PUBLIC_EXPONENT']);
}
