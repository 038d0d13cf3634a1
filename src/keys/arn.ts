/** Amazon Resource Names of keys and aliases, and the four ways in which a request names a key (kms-api.md 5.4). Looks nothing up. */
import type { KeyIdentity } from './key-record.ts';

/** Where a name lives. */
interface ArnScope {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

/** How a request named a key. */
export type KeyIdentifier =
  | { readonly kind: 'key-id'; readonly keyId: string }
  | { readonly kind: 'alias-name'; readonly aliasName: string }
  | (ArnScope & { readonly kind: 'key-arn'; readonly keyId: string })
  | (ArnScope & { readonly kind: 'alias-arn'; readonly aliasName: string })
  /** Begins like an ARN and is none of a key or an alias. */
  | { readonly kind: 'malformed-arn' };

const KEY_ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/i;
const ARN = /^arn:([a-z0-9-]+):kms:([a-z0-9-]+):([0-9]{12}):(key|alias)\/(.+)$/s;

/** `arn:aws:kms:us-east-1:111122223333:key/...` */
export function keyArn(key: KeyIdentity): string {
  return `arn:${key.partition}:kms:${key.region}:${key.account}:key/${key.keyId}`;
}

/** `arn:aws:kms:us-east-1:111122223333:alias/name`; `aliasName` has its prefix. */
export function aliasArn(scope: ArnScope, aliasName: string): string {
  return `arn:${scope.partition}:kms:${scope.region}:${scope.account}:${aliasName}`;
}

/** True for a UUID or `mrk-` with 32 hex digits, whether or not such a key exists. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/** Reads a key identifier. A text that is no ARN and no alias counts as a key id, well-formed or not (`isKeyId` tells). */
export function parseKeyIdentifier(text: string): KeyIdentifier {
  if (text.startsWith('alias/')) return { kind: 'alias-name', aliasName: text };
  if (!text.startsWith('arn:')) return { kind: 'key-id', keyId: text };
  const [, partition, region, account, type, name] = ARN.exec(text) ?? [];
  if (partition === undefined || region === undefined || account === undefined || name === undefined) return { kind: 'malformed-arn' };
  return type === 'key'
    ? { kind: 'key-arn', partition, region, account, keyId: name }
    : { kind: 'alias-arn', partition, region, account, aliasName: `alias/${name}` };
}
