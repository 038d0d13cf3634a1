/** CreateGrant: lets a principal use a key. The grant is in force when the answer is sent; a named request that is repeated finds its grant. */
import { toHex } from '../bytes.ts';
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { checkGrantOnKey, requestedGrant, validateCreateGrant } from './grants/grant-input.ts';
import { countGrants, grantAdded, grantOfRequest } from './grants/grant-items.ts';
import { newGrantToken } from './grants/grant-tokens.ts';
import { currentKey, touchKey } from './key-change.ts';
import { permittedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { GrantRecord } from '../keys/grant-record.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Store } from '../store/store.ts';
import type { CreateGrantInput, RequestedGrant } from './grants/grant-input.ts';
import type { Operation, OperationContext } from './operation.ts';

/** AWS quota (kms-api.md section 8). */
const GRANTS_PER_KEY_MAX = 50_000;
const GRANT_ID_BYTES = 32;
const TOKEN_KEY_BYTES = 32;

const checkState = keyStateCheck('CreateGrant');

export const createGrant: Operation = defineOperation<CreateGrantInput, 'key'>({
  name: 'CreateGrant',
  action: 'CreateGrant',
  keys: permittedKey,
  validate: validateCreateGrant,
  check: (input, { keys }) => checkGrantOnKey(input, keys.key.record),
  dryRun: (_input, { parts, keys }) => assertGrantQuota(keys.key.record, parts.store),
  perform: async (input, context) => {
    const { parts, keys } = context;
    const requested = requestedGrant(input, keys.key.record);
    const grant = await parts.store.transact((store) => {
      const existing = requested.requestDigest && grantOfRequest(store, keys.key.record, requested.requestDigest);
      if (existing) return { changes: [], result: existing };
      const key = currentKey(store, keys.key.record);
      checkState(key);
      assertGrantQuota(key, store);
      const made = newGrant(requested, key, context);
      return { changes: [...grantAdded(made), touchKey(key)], result: made };
    });
    return { GrantToken: newGrantToken(grant, parts.randomBytes), GrantId: grant.grantId };
  },
});

function newGrant(requested: RequestedGrant, key: KeyRecord, { parts, caller }: OperationContext<'key'>): GrantRecord {
  const { partition, account, region, keyId } = key;
  return {
    ...requested,
    key: { partition, account, region, keyId },
    grantId: toHex(parts.randomBytes(GRANT_ID_BYTES)),
    createdAtMs: parts.clock.nowMs(),
    issuingAccount: caller.account,
    tokenKey: toHex(parts.randomBytes(TOKEN_KEY_BYTES)),
  };
}

function assertGrantQuota(key: KeyRecord, store: Store): void {
  if (countGrants(store, key) >= GRANTS_PER_KEY_MAX) {
    throw new KmsError('LimitExceededException', `${keyArn(key)} has ${GRANTS_PER_KEY_MAX} grants and can have no more.`);
  }
}
