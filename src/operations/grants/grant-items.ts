/**
 * Grants in the store: one item each, and one more for every way in which grants are looked up, all in the same transaction, so that
 * no lookup ever scans the up to 50,000 grants of a key. Decides nothing.
 */
import { keyArn } from '../../keys/arn.ts';
import type { GrantRecord } from '../../keys/grant-record.ts';
import type { KeyIdentity } from '../../keys/key-record.ts';
import type { Change, ItemRecord, JsonValue, Page, Scope, Store } from '../../store/store.ts';

/** The grant itself; owner: key ARN. */
const GRANT = 'grant';
/** Owner: key ARN and grantee. */
const BY_GRANTEE = 'grant-by-grantee';
/** Owner: partition, Region and retiring principal; value: the key. */
const BY_RETIRING_PRINCIPAL = 'grant-by-retiring-principal';
/** Owner: key ARN; name: digest of the request; value: grant id. */
const BY_REQUEST = 'grant-by-request';

/** A grant has at most four items, and a transaction at most 1,000 changes. */
const GRANTS_PER_TRANSACTION = 200;

export function grantOf(store: Store, key: KeyIdentity, grantId: string): GrantRecord | undefined {
  return grantIn(store.item(GRANT, keyArn(key), grantId));
}

/** The grants of a key in order of grant id. O(limit). */
export function grantsOfKey(store: Store, key: KeyIdentity, after: string | undefined, limit: number): Page<GrantRecord> {
  const page = store.listItems(GRANT, keyArn(key), after, limit);
  return { items: page.items.flatMap((item) => grantIn(item) ?? []), next: page.next };
}

/** The grants of a key whose grantee is `grantee`: an ARN as the grants name it, or a service principal. O(limit). */
export function grantsOfGrantee(
  store: Store,
  key: KeyIdentity,
  grantee: string,
  after: string | undefined,
  limit: number,
): Page<GrantRecord> {
  const page = store.listItems(BY_GRANTEE, granteeOwner(key, grantee), after, limit);
  return { items: page.items.flatMap(({ name }) => grantOf(store, key, name) ?? []), next: page.next };
}

/** The grants in a Region, on keys of all accounts, that `principal` may retire. O(limit). */
export function grantsToRetire(
  store: Store,
  scope: Pick<Scope, 'partition' | 'region'>,
  principal: string,
  after: string | undefined,
  limit: number,
): Page<GrantRecord> {
  const page = store.listItems(BY_RETIRING_PRINCIPAL, retiringOwner(scope, principal), after, limit);
  const items = page.items.flatMap(({ name, value }) => grantOf(store, value as unknown as KeyIdentity, name) ?? []);
  return { items, next: page.next };
}

/** The grant that a named request with this digest has made before. */
export function grantOfRequest(store: Store, key: KeyIdentity, requestDigest: string): GrantRecord | undefined {
  const item = store.item(BY_REQUEST, keyArn(key), requestDigest);
  return item === undefined ? undefined : grantOf(store, key, item.value as string);
}

export function countGrants(store: Store, key: KeyIdentity): number {
  return store.countItems(GRANT, keyArn(key));
}

export function grantAdded(grant: GrantRecord): readonly Change[] {
  return itemsOf(grant).map((record) => ({ kind: 'put-item', record, replacesVersion: 0 }));
}

export function grantRemoved(grant: GrantRecord): readonly Change[] {
  return itemsOf(grant).map((record) => ({ kind: 'delete-item', record }));
}

/** Removes all grants of a key, for its deletion. May be repeated. */
export async function removeGrants(key: KeyIdentity, store: Store): Promise<void> {
  while (countGrants(store, key) > 0) {
    await store.transact((current) => ({
      changes: grantsOfKey(current, key, undefined, GRANTS_PER_TRANSACTION).items.flatMap(grantRemoved),
      result: undefined,
    }));
  }
}

function itemsOf(grant: GrantRecord): readonly ItemRecord[] {
  const { key, grantId, grantee, retiring, requestDigest } = grant;
  const { partition, account, region, keyId } = key;
  const items = [
    item(GRANT, keyArn(key), grantId, grant as unknown as JsonValue),
    item(BY_GRANTEE, granteeOwner(key, grantee.name), grantId, null),
  ];
  if (retiring !== undefined) {
    items.push(item(BY_RETIRING_PRINCIPAL, retiringOwner(key, retiring.name), grantId, { partition, account, region, keyId }));
  }
  if (requestDigest !== undefined) items.push(item(BY_REQUEST, keyArn(key), requestDigest, grantId));
  return items;
}

/** Grants never change, so neither do their versions. */
function item(kind: string, owner: string, name: string, value: JsonValue): ItemRecord {
  return { kind, owner, name, version: 1, value };
}

function grantIn(item: ItemRecord | undefined): GrantRecord | undefined {
  return item?.value as unknown as GrantRecord | undefined;
}

function granteeOwner(key: KeyIdentity, grantee: string): string {
  return `${keyArn(key)} ${grantee}`;
}

function retiringOwner({ partition, region }: Pick<Scope, 'partition' | 'region'>, principal: string): string {
  return `${partition}:${region} ${principal}`;
}
