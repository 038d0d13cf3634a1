/**
 * Keys that others made in the token, as materials. They are found, judged and proven, and nothing of them is altered: their records name
 * them by the CKA_ID that they have.
 */
import { keyShape } from '../../keys/algorithms.ts';
import { publicKeyAttributes, publicKeyOf } from '../../token/key-pairs.ts';
import type { Template } from '../../token/mechanism.ts';
import type { DescribedObject, Token } from '../../token/token.ts';
import type { AdoptionRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { Adoptable } from './adoption-rules.ts';
import { judgeAdoption, judgedAttributes } from './adoption-rules.ts';
import { identify } from './material-kind.ts';
import type { CreatedMaterial, MaterialKind } from './material-kind.ts';

/** Labels of everything that this service makes. */
const ownLabels = /^hsm-kms /;

export interface FoundKey extends Adoptable {
  readonly kind: MaterialKind;
  readonly created: CreatedMaterial;
}

/**
 * Finds the key that the request names, judges it, and proves that it is what its attributes say. `kindOf` throws where the token serves no
 * such keys. Rejects with KeyStoreError `material-missing`, `refused` or `unsupported`.
 */
export async function findAdoptable(token: Token, request: AdoptionRequest, kindOf: (key: Adoptable) => MaterialKind): Promise<FoundKey> {
  const { object, attributes } = await findOne(token, request);
  const { ID: id = new Uint8Array(), LABEL: label = '' } = attributes;
  if (id.length === 0) throw new KeyStoreError('refused', 'The key has no CKA_ID, by which it could be found again: give it one');
  if (ownLabels.test(label)) throw new KeyStoreError('refused', `The key "${label}" is one of this service`);
  if ((await keysOf(token, { ID: id })).length > 1)
    throw new KeyStoreError('refused', 'Several keys of the token have the CKA_ID of this one: give each its own');
  const adoptable = judgeAdoption(attributes, request);
  const kind = kindOf(adoptable);
  const publicKey = await publicHalf(token, adoptable.keySpec, attributes);
  const identity = await identify(token, kind, request.key.keyId, { object, ...(publicKey && { publicKey }) });
  return { ...adoptable, kind, created: { ...identity, reference: id } };
}

async function findOne(token: Token, { label, objectId }: AdoptionRequest): Promise<DescribedObject> {
  const names: Template = { ...(label !== undefined && { LABEL: label }), ...(objectId && { ID: objectId }) };
  if (Object.keys(names).length === 0) throw new KeyStoreError('refused', 'A key is adopted by its CKA_LABEL or CKA_ID');
  const [found, ...more] = await keysOf(token, names);
  if (found === undefined) throw new KeyStoreError('material-missing', 'The token shows no secret or private key of this name');
  if (more.length > 0) throw new KeyStoreError('refused', `The token has ${1 + more.length} keys of this name: name one by its CKA_ID`);
  return found;
}

async function keysOf(token: Token, names: Template): Promise<readonly DescribedObject[]> {
  const wanted = ['ID', 'LABEL', 'EC_POINT', ...judgedAttributes] as const;
  const classes = ['SECRET_KEY', 'PRIVATE_KEY'] as const;
  const found = await Promise.all(classes.map((CLASS) => token.findObjects({ CLASS, TOKEN: true, ...names }, wanted)));
  return found.flat();
}

/** From the private key itself, or from the public key object of the same CKA_ID. That they belong together is proven with the identity. */
async function publicHalf(token: Token, keySpec: string, key: Template): Promise<Uint8Array | undefined> {
  const shape = keyShape(keySpec);
  if (shape.type !== 'rsa' && shape.type !== 'ec' && shape.type !== 'ed25519') return undefined;
  const objects = await token.findObjects({ CLASS: 'PUBLIC_KEY', TOKEN: true, ID: key.ID ?? new Uint8Array() }, publicKeyAttributes);
  for (const attributes of [key, ...objects.map((object) => object.attributes)]) {
    const publicKey = publicKeyOf(shape, attributes);
    if (publicKey !== undefined) return publicKey;
  }
  throw new KeyStoreError('refused', 'The private key does not show its public half, and no public key object has its CKA_ID');
}
