/** From the text with which a request names a key to the key itself, with the exact refusals of AWS KMS (kms-api.md 5.4 and 10.1). */
import { KmsError } from '../errors.ts';
import { aliasArn, isKeyId, keyArn, parseKeyIdentifier } from '../keys/arn.ts';
import { accessDenied, isAuthorised } from './authorise.ts';
import type { KeyIdentifier } from '../keys/arn.ts';
import type { AliasRecord } from '../keys/key-record.ts';
import type { Scope, Store } from '../store/store.ts';
import type { Caller, KeyReference, ResolvedKey } from './operation.ts';

/** What a lookup depends on besides the text itself. */
export interface KeyLookup {
  readonly store: Store;
  readonly caller: Caller;
  /** Account and Region of the caller: where names without account and Region are looked up. */
  readonly scope: Scope;
  /** IAM action without `kms:`, for the refusal. */
  readonly action: string;
}

type KeyRules = Pick<KeyReference, 'aliasAllowed'>;

/**
 * The key that `text` names, which the caller's account may use.
 * Throws KmsError: NotFoundException, InvalidArnException, AccessDeniedException for other accounts.
 */
export function resolveKey(text: string, rules: KeyRules, lookup: KeyLookup): ResolvedKey {
  const direct = lookup.store.key(lookup.scope, text);
  if (direct !== undefined) return { record: direct, alias: undefined, ciphertext: undefined };
  const identifier = parseKeyIdentifier(text);
  switch (identifier.kind) {
    case 'malformed-arn':
      throw new KmsError('InvalidArnException', `Invalid arn ${text}`);
    case 'key-id':
      return keyById(lookup.scope, identifier.keyId, text, lookup);
    case 'key-arn':
      return keyById(scopeOfArn(identifier, lookup), identifier.keyId, text, lookup);
    case 'alias-name':
      if (!rules.aliasAllowed) throw invalidKeyId(text);
      return keyByAlias(lookup.scope, identifier.aliasName, lookup);
    case 'alias-arn':
      break;
  }
  if (!rules.aliasAllowed) throw new KmsError('InvalidArnException', 'Key Aliases are not supported for this operation');
  return keyByAlias(scopeOfArn(identifier, lookup), identifier.aliasName, lookup);
}

/** The alias, or NotFoundException in the words of AWS KMS. */
export function aliasOrNotFound(store: Store, scope: Scope, aliasName: string): AliasRecord {
  const alias = store.alias(scope, aliasName);
  if (alias === undefined) throw new KmsError('NotFoundException', `Alias ${aliasArn(scope, aliasName)} is not found.`);
  return alias;
}

function keyById(scope: Scope, keyId: string, text: string, lookup: KeyLookup): ResolvedKey {
  if (!isKeyId(keyId)) throw invalidKeyId(text);
  const record = lookup.store.key(scope, keyId);
  if (record === undefined) throw new KmsError('NotFoundException', `Key '${keyArn({ ...scope, keyId })}' does not exist`);
  return { record, alias: undefined, ciphertext: undefined };
}

function keyByAlias(scope: Scope, aliasName: string, lookup: KeyLookup): ResolvedKey {
  const alias = aliasOrNotFound(lookup.store, scope, aliasName);
  return { ...keyById(scope, alias.targetKeyId, alias.targetKeyId, lookup), alias };
}

/**
 * The scope that an ARN names. Another Region is not found, another account is denied before anything is looked up: the
 * answer must not show what exists there.
 */
function scopeOfArn(arn: Extract<KeyIdentifier, Scope>, { caller, action }: KeyLookup): Scope {
  if (arn.region !== caller.region) throw new KmsError('NotFoundException', `Invalid arn ${arn.region}`);
  if (!isAuthorised(caller, arn)) throw accessDenied(caller, action);
  return { partition: arn.partition, account: arn.account, region: arn.region };
}

function invalidKeyId(text: string): KmsError {
  return new KmsError('NotFoundException', `Invalid keyId '${text}'`);
}
