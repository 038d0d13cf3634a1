/**
 * The two keys of this service that a token with wrapped materials holds: the wrapping key, and the key of the record MAC.
 * `hsm-kms token init` makes them (`token/service-keys.ts`); the key store only finds them.
 */
import { toHex } from '../../bytes.ts';
import type { AttributeName } from '../../token/mechanism.ts';
import { RECORD_MAC_KEY_LABEL, WRAPPING_KEY_LABEL } from '../../token/service-keys.ts';
import type { DescribedObject, Token, TokenObject } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import type { KeyWrapAlgorithm } from './exported-key-token.ts';

export interface WrappingKey {
  readonly object: TokenObject;
  readonly id: Uint8Array;
  readonly trusted: boolean;
  /** It neither encrypts nor decrypts, and nobody can change that: a record opens into a key object and nothing else. */
  readonly wrapsOnly: boolean;
}

export interface ServiceKeys {
  readonly recordMac: TokenObject;
  /** The wrapping key of new materials. */
  readonly current: WrappingKey;
  /** All wrapping keys by CKA_ID, hexadecimal: records name the one they need. */
  readonly wrapping: ReadonlyMap<string, WrappingKey>;
}

/** The best key wrap of the token: RFC 5649 where it was measured, else RFC 3394. Undefined when it has none. */
export function keyWrapAlgorithm(token: Token): KeyWrapAlgorithm | undefined {
  const { kwp, aesKeyWrap } = token.capabilities;
  if (kwp !== undefined) return 'AES-KWP';
  return aesKeyWrap ? 'AES-KW' : undefined;
}

/** Finds both keys. Rejects with KeyStoreError `refused` when they are not there or not to be trusted. */
export async function findServiceKeys(token: Token): Promise<ServiceKeys> {
  const [recordMac] = await findByLabel(token, RECORD_MAC_KEY_LABEL, 'exactly one');
  const found = await findByLabel(token, WRAPPING_KEY_LABEL, 'one or more');
  const keys = found.map(({ object, attributes }) => ({
    object,
    id: attributes.ID ?? new Uint8Array(0),
    trusted: attributes.TRUSTED === true,
    wrapsOnly: attributes.ENCRYPT === false && attributes.DECRYPT === false && attributes.MODIFIABLE === false,
  }));
  const current = keys.find((key) => key.trusted) ?? keys[0]!;
  return { recordMac: recordMac!.object, current, wrapping: new Map(keys.map((key) => [toHex(key.id), key])) };
}

async function findByLabel(token: Token, label: string, count: 'exactly one' | 'one or more'): Promise<readonly DescribedObject[]> {
  const readBack: readonly AttributeName[] = ['ID', 'TRUSTED', 'SENSITIVE', 'EXTRACTABLE', 'MODIFIABLE', 'ENCRYPT', 'DECRYPT'];
  const found = await token.findObjects({ CLASS: 'SECRET_KEY', TOKEN: true, LABEL: label }, readBack);
  if (found.length === 0) {
    throw new KeyStoreError(
      'refused',
      `The token shows no key with the label "${label}". If it was never prepared, run: hsm-kms token init`,
    );
  }
  if (found.length > 1 && count === 'exactly one') {
    throw new KeyStoreError(
      'refused',
      `The token holds ${found.length} keys with the label "${label}"; remove the ones that do not belong to this service`,
    );
  }
  if (found.some(({ attributes }) => attributes.SENSITIVE !== true || attributes.EXTRACTABLE !== false)) {
    throw new KeyStoreError(
      'refused',
      `The key with the label "${label}" can be taken out of the token; make it anew with: hsm-kms token init`,
    );
  }
  return found;
}
