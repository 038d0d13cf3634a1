/**
 * What kind of token key a material is. Where materials live (`resident-materials.ts`, `wrapped-materials.ts`) and what they are do not
 * know each other: this is what they have between them.
 */
import { equalConstantTime } from '../../bytes.ts';
import type { MaterialRecord } from '../../keys/key-record.ts';
import { materialIdOf } from '../../keys/material-id.ts';
import type { AttributeName, MechanismName, Template } from '../../token/mechanism.ts';
import type { KeyForm } from '../../token/templates.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { BoundMaterial } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { MaterialBinding } from '../material-binding.ts';

/** A key in the token with what is known of it outside: for a pair, the private key and DER SubjectPublicKeyInfo. */
export interface TokenKey {
  readonly object: TokenObject;
  readonly publicKey?: Uint8Array;
}

/** A key that was just generated. */
export interface GeneratedKey extends TokenKey {
  /** What was read back of its attributes. */
  readonly attributes: Template;
}

export interface MaterialKind {
  /** What records of the kind are bound to besides their key. */
  readonly binding: Pick<MaterialBinding, 'keySpec' | 'keyUsage' | 'suite'>;
  readonly form: KeyForm;
  /** The only mechanisms that its keys may be used with. */
  readonly mechanisms: readonly MechanismName[];
  /** Makes a key after `template`, which is of this form. Of a pair, no public object stays in the token. */
  generate(token: Token, template: Template, readBack: readonly AttributeName[]): Promise<GeneratedKey>;
  /**
   * 48 bytes, equal for every copy of the key (`keys/key-fingerprint.ts`, `keys/key-derivation.ts`). A pair first proves that its halves
   * belong together. Rejects with KeyStoreError `internal` when they do not.
   */
  fingerprint(token: Token, key: TokenKey): Promise<Uint8Array>;
}

/** What creation adds to a material record. */
export type CreatedMaterial = Pick<MaterialRecord, 'materialId' | 'reference' | 'fingerprint' | 'publicKey'>;

/** The members of a record that name the key, which is in the token and proves itself. */
export async function identify(
  token: Token,
  kind: MaterialKind,
  keyId: string,
  key: TokenKey,
): Promise<Omit<CreatedMaterial, 'reference'>> {
  const fingerprint = await kind.fingerprint(token, key);
  return { materialId: materialIdOf(keyId, fingerprint), fingerprint, ...(key.publicKey && { publicKey: key.publicKey }) };
}

/** Throws KeyStoreError `internal` unless the object is the material that the record describes. */
export async function proveMaterial(
  token: Token,
  kind: MaterialKind,
  object: TokenObject,
  { key, material }: BoundMaterial<MaterialRecord>,
): Promise<void> {
  const { fingerprint, materialId, publicKey } = material;
  const found = await identify(token, kind, key.keyId, { object, ...(publicKey && { publicKey }) });
  if (equalConstantTime(found.fingerprint, fingerprint) && found.materialId === materialId) return;
  throw new KeyStoreError('internal', 'The token object is not the key material that the record describes; the key is not used');
}
