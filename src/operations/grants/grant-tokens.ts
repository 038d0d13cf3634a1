/**
 * Grant tokens: they name a grant of this service and cannot be made by others. A grant is in force when CreateGrant answers, so a
 * token is never needed; it is checked all the same, as AWS KMS does. It is valid as long as its grant exists.
 */
import { createHmac } from 'node:crypto';
import { concatBytes, equalConstantTime, toBase64 } from '../../bytes.ts';
import { KmsError } from '../../errors.ts';
import { grantOf } from './grant-items.ts';
import type { GrantRecord } from '../../keys/grant-record.ts';
import type { Scope, Store } from '../../store/store.ts';

/** Layout: version (1 byte), nonce, MAC over label, nonce and name, then the name of the grant as UTF-8. */
const VERSION = 1;
const NONCE_BYTES = 16;
const MAC_BYTES = 32;
const NAME_OFFSET = 1 + NONCE_BYTES + MAC_BYTES;
const LABEL = Buffer.from('hsm-kms grant token 1');

/** A token of the grant, another one at every call. */
export function newGrantToken(grant: GrantRecord, randomBytes: (lengthBytes: number) => Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES);
  const { partition, region, account, keyId } = grant.key;
  const name = Buffer.from([partition, region, account, keyId, grant.grantId].join(':'));
  return toBase64(concatBytes(Uint8Array.of(VERSION), nonce, macOf(grant, nonce, name), name));
}

/** The grant that a token names. Throws KmsError InvalidGrantTokenException for anything else than a token of a grant of this Region. */
export function grantOfToken(token: string, scope: Pick<Scope, 'partition' | 'region'>, store: Store): GrantRecord {
  const bytes = Buffer.from(token, 'base64');
  if (bytes[0] === VERSION && toBase64(bytes) === token) {
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
    const name = bytes.subarray(NAME_OFFSET);
    const grant = grantNamed(name.toString(), scope, store);
    if (grant !== undefined && equalConstantTime(bytes.subarray(1 + NONCE_BYTES, NAME_OFFSET), macOf(grant, nonce, name))) return grant;
  }
  throw new KmsError('InvalidGrantTokenException', 'The grant token is not valid.');
}

function grantNamed(name: string, scope: Pick<Scope, 'partition' | 'region'>, store: Store): GrantRecord | undefined {
  const [partition = '', region = '', account = '', keyId = '', grantId = ''] = name.split(':');
  if (partition !== scope.partition || region !== scope.region) return undefined;
  return grantOf(store, { partition, region, account, keyId }, grantId);
}

function macOf({ tokenKey }: GrantRecord, nonce: Uint8Array, name: Uint8Array): Uint8Array {
  return createHmac('sha256', Buffer.from(tokenKey, 'hex')).update(LABEL).update(nonce).update(name).digest();
}
