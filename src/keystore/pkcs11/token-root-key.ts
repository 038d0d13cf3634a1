/**
 * The root key of a software key store, kept by a token: an HMAC under a key that never leaves it. Software keys that are sealed
 * under it open only while that token is there. Label of the input: `hsm-kms software root key v1`, one zero byte, the name of the store.
 */
import { randomBytes } from 'node:crypto';
import { TextEncoder } from 'node:util';
import { SecretBytes } from '../../secret-bytes.ts';
import type { AttributeName } from '../../token/mechanism.ts';
import { macForm, residentKey } from '../../token/templates.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import { toKeyStoreError } from './key-store-error.ts';

const label = 'hsm-kms software root key';
const purpose = 'hsm-kms software root key v1\0';
const keyBytes = 32;
const custodyAttributes: readonly AttributeName[] = ['SENSITIVE', 'EXTRACTABLE', 'NEVER_EXTRACTABLE'];

/**
 * 32 bytes, always the same for the same token and `storeName`. `whenMissing: 'create'` makes the key in the token; otherwise its
 * absence is an error, since another key opens nothing. Rejects with KeyStoreError, which says what to do.
 */
export async function tokenRootKey(token: Token, storeName: string, whenMissing: 'create' | 'refuse'): Promise<SecretBytes> {
  try {
    return await token.recovering(async () => {
      const key = (await findKey(token)) ?? (await makeKey(token, whenMissing));
      return new SecretBytes(await token.sign({ name: 'SHA256_HMAC' }, key, new TextEncoder().encode(purpose + storeName)));
    });
  } catch (error) {
    throw toKeyStoreError(error);
  }
}

async function findKey(token: Token): Promise<TokenObject | undefined> {
  const found = await token.findObjects({ CLASS: 'SECRET_KEY', TOKEN: true, LABEL: label }, custodyAttributes);
  if (found.length > 1) {
    throw new KeyStoreError(
      'refused',
      `The token "${token.name}" holds ${found.length} keys with the label "${label}"; remove those that are not this service's`,
    );
  }
  const [key] = found;
  if (key === undefined) return undefined;
  const { SENSITIVE, EXTRACTABLE, NEVER_EXTRACTABLE } = key.attributes;
  // A key from elsewhere could be known to who brought it: everything sealed under it would be too.
  if (SENSITIVE === true && EXTRACTABLE === false && NEVER_EXTRACTABLE !== false) return key.object;
  const message = `The key with the label "${label}" can be taken out of the token "${token.name}", or was brought into it; it is not used as a root key`;
  throw new KeyStoreError('refused', message);
}

async function makeKey(token: Token, whenMissing: 'create' | 'refuse'): Promise<TokenObject> {
  if (whenMissing === 'refuse') {
    const message = `The token "${token.name}" shows no key with the label "${label}", which opens the software keys: restore it, a new one opens none of them`;
    throw new KeyStoreError('refused', message);
  }
  const template = residentKey(macForm(keyBytes), { id: randomBytes(16), label }, ['SHA256_HMAC']);
  const { object } = await token.generateKey({ name: 'GENERIC_SECRET_KEY_GEN' }, template);
  return object;
}
