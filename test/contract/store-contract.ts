/** The rules of interface Store, for any implementation: `open` gives an empty store, `reopen` (where there is one) what the same place holds later. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreConflictError, StoreUnavailableError, type Store } from '../../src/store/store.ts';
import { itemContract } from './store-items-contract.ts';
import { aliasOf, intentOf, itemOf, keyIdOf, keyOf, materialOf, scopeA, scopeB } from '../support/store-records.ts';

/** One place where a store lives. */
export interface StorePlace {
  open(): Promise<Store>;
  /** False for a store that forgets when it is closed: the rules about reopening are skipped by name. */
  readonly durable: boolean;
  remove(): Promise<void>;
}

export function storeContract(name: string, newPlace: () => Promise<StorePlace>): void {
  describe(name, () => {
    let place: StorePlace;
    let store: Store;

    beforeEach(async () => {
      place = await newPlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    const create = async (number: number, changes: Parameters<typeof keyOf>[1] = {}): Promise<void> =>
      store.commit([{ kind: 'put-key', record: keyOf(number, changes), replacesVersion: 0 }]);
    const createAlias = async (aliasName: string, keyId: string): Promise<void> =>
      store.commit([{ kind: 'put-alias', record: aliasOf(aliasName, keyId), replacesVersion: 0 }]);

    const reopenRule = async (context: { skip(note: string): never }): Promise<void> => {
      if (!place.durable) context.skip('this store forgets when it is closed');
      await store.close();
      store = await place.open();
    };

    describe('keys', () => {
      test('an unknown key, alias, mark or scope is undefined or empty, not an error', () => {
        expect(store.key(scopeA, keyIdOf(1))).toBeUndefined();
        expect(store.keysById(keyIdOf(1))).toEqual([]);
        expect(store.alias(scopeA, 'alias/none')).toBeUndefined();
        expect(store.mark('none')).toBeUndefined();
        expect(store.listKeys(scopeA, undefined, 10)).toEqual({ items: [], next: undefined });
        expect(store.listAliases(scopeA, undefined, undefined, 10)).toEqual({ items: [], next: undefined });
        expect([store.countKeys(scopeA), store.countAliases(scopeA, keyIdOf(1))]).toEqual([0, 0]);
      });

      test('a committed key is visible when its commit resolves, and only in its own scope', async () => {
        await create(1);
        expect(store.key(scopeA, keyIdOf(1))).toEqual(keyOf(1));
        expect(store.key(scopeB, keyIdOf(1))).toBeUndefined();
        expect([...store.allKeys()]).toEqual([keyOf(1)]);
      });

      test('the generation rises with every committed change, and not with a refused one', async () => {
        const before = store.generation;
        await create(1);
        const after = store.generation;
        expect(after).toBeGreaterThan(before);
        await expect(create(1)).rejects.toBeInstanceOf(StoreConflictError);
        expect(store.generation).toBe(after);
      });

      test('optional members stay absent when absent and keep their values when present', async () => {
        const { currentMaterialId: _none, ...bare } = keyOf(1, { materials: [], tags: [] });
        const full = keyOf(2, {
          state: 'PendingDeletion',
          deletionAtMs: 1_800_000_000_000,
          pendingWindowDays: 7,
          deletionRunningMsLeft: 0,
          multiRegion: true,
          description: 'ключ 🔑',
          materials: [materialOf(2), materialOf(3)],
        });
        await store.commit([bare, full].map((record) => ({ kind: 'put-key', record, replacesVersion: 0 })));
        expect(store.key(scopeA, bare.keyId)).toStrictEqual(bare);
        expect(store.key(scopeA, full.keyId)).toStrictEqual(full);
      });

      test('a put over another version than the current one is a conflict and changes nothing', async () => {
        await create(1);
        await store.commit([{ kind: 'put-key', record: keyOf(1, { version: 2, description: 'new' }), replacesVersion: 1 }]);
        const late = keyOf(1, { version: 2, description: 'late' });
        await expect(store.commit([{ kind: 'put-key', record: late, replacesVersion: 1 }])).rejects.toBeInstanceOf(StoreConflictError);
        expect(store.key(scopeA, keyIdOf(1))?.description).toBe('new');
      });

      test('a put of a version that does not rise is refused as a mistake of the caller', async () => {
        await create(1);
        const same = { kind: 'put-key', record: keyOf(1), replacesVersion: 1 } as const;
        await expect(store.commit([same])).rejects.toBeInstanceOf(RangeError);
      });

      test('a put of a key that does not exist, over a version, is a conflict', async () => {
        const change = { kind: 'put-key', record: keyOf(1, { version: 2 }), replacesVersion: 1 } as const;
        await expect(store.commit([change])).rejects.toBeInstanceOf(StoreConflictError);
      });

      test('a delete of a version that is not the current one is a conflict; of the current one it removes the key', async () => {
        await create(1);
        const stale = keyOf(1, { version: 7 });
        await expect(store.commit([{ kind: 'delete-key', record: stale }])).rejects.toBeInstanceOf(StoreConflictError);
        await store.commit([{ kind: 'delete-key', record: keyOf(1) }]);
        expect(store.key(scopeA, keyIdOf(1))).toBeUndefined();
        expect(store.keysById(keyIdOf(1))).toEqual([]);
        expect(store.countKeys(scopeA)).toBe(0);
      });

      test('the same key id in two Regions is two keys, and both are found by id', async () => {
        await create(1);
        await create(1, scopeB);
        expect(store.keysById(keyIdOf(1)).map((key) => key.region)).toEqual(['eu-central-1', 'us-east-1']);
        await store.commit([{ kind: 'delete-key', record: keyOf(1) }]);
        expect(store.keysById(keyIdOf(1)).map((key) => key.region)).toEqual(['us-east-1']);
      });

      test('records are frozen, and do not change with the bytes or objects that were handed in', async () => {
        const record = keyOf(1);
        await store.commit([{ kind: 'put-key', record, replacesVersion: 0 }]);
        record.materials[0]!.reference.fill(0);
        const stored = store.key(scopeA, record.keyId)!;
        expect(stored).toEqual(keyOf(1));
        expect([stored, stored.tags, stored.tags[0], stored.materials, stored.materials[0]].every(Object.isFrozen)).toBe(true);
      });

      test('keys pending deletion are indexed, and leave the index when cancelled or deleted', async () => {
        await create(1, { state: 'PendingDeletion', deletionAtMs: 5 });
        await create(2, { state: 'PendingDeletion', deletionAtMs: 5 });
        await create(3);
        expect(store.keysPendingDeletion().map((key) => key.keyId)).toEqual([keyIdOf(1), keyIdOf(2)]);
        await store.commit([{ kind: 'put-key', record: keyOf(1, { version: 2, state: 'Disabled' }), replacesVersion: 1 }]);
        await store.commit([{ kind: 'delete-key', record: keyOf(2) }]);
        expect(store.keysPendingDeletion()).toEqual([]);
      });
    });

    describe('listings', () => {
      test('pages of keys are in order of id, complete, without repeats, and say where to go on', async () => {
        const ids = Array.from({ length: 25 }, (_, number) => keyIdOf(number));
        await store.commit(ids.map((_, number) => ({ kind: 'put-key', record: keyOf(number), replacesVersion: 0 })));
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page = store.listKeys(scopeA, after, 10);
          seen.push(...page.items.map((key) => key.keyId));
          after = page.next;
        } while (after !== undefined);
        expect(seen).toEqual(ids.toSorted());
        expect(store.countKeys(scopeA)).toBe(25);
      });

      test('a page that ends with the last item has no next', async () => {
        await create(1);
        await create(2);
        expect(store.listKeys(scopeA, undefined, 2).next).toBeUndefined();
        expect(store.listKeys(scopeA, undefined, 1).next).toBe([keyIdOf(1), keyIdOf(2)].toSorted()[0]);
      });

      test('a listing goes on after a name that was deleted meanwhile', async () => {
        await store.commit([1, 2, 3].map((number) => ({ kind: 'put-key', record: keyOf(number), replacesVersion: 0 })));
        const [first, second] = store.listKeys(scopeA, undefined, 2).items;
        await store.commit([{ kind: 'delete-key', record: first! }]);
        expect(store.listKeys(scopeA, first!.keyId, 1).items).toEqual([second]);
      });
    });

    describe('aliases', () => {
      test('aliases are listed by name, of one key or of all', async () => {
        await createAlias('alias/b', keyIdOf(1));
        await createAlias('alias/c', keyIdOf(2));
        await createAlias('alias/a', keyIdOf(1));
        const names = (target: string | undefined): string[] =>
          store.listAliases(scopeA, target, undefined, 10).items.map((a) => a.aliasName);
        expect(names(undefined)).toEqual(['alias/a', 'alias/b', 'alias/c']);
        expect(names(keyIdOf(1))).toEqual(['alias/a', 'alias/b']);
        expect(store.listAliases(scopeA, keyIdOf(1), 'alias/a', 1)).toEqual({ items: [aliasOf('alias/b', keyIdOf(1))], next: undefined });
        expect(store.countAliases(scopeA, keyIdOf(1))).toBe(2);
      });

      test('an alias name exists once in a scope, and again in another scope', async () => {
        await createAlias('alias/a', keyIdOf(1));
        await expect(createAlias('alias/a', keyIdOf(2))).rejects.toBeInstanceOf(StoreConflictError);
        await store.commit([{ kind: 'put-alias', record: aliasOf('alias/a', keyIdOf(2), scopeB), replacesVersion: 0 }]);
        expect(store.alias(scopeA, 'alias/a')?.targetKeyId).toBe(keyIdOf(1));
        expect(store.alias(scopeB, 'alias/a')?.targetKeyId).toBe(keyIdOf(2));
      });

      test('a moved alias leaves its old key and is counted at its new one', async () => {
        await createAlias('alias/a', keyIdOf(1));
        const moved = aliasOf('alias/a', keyIdOf(2), { version: 2 });
        await store.commit([{ kind: 'put-alias', record: moved, replacesVersion: 1 }]);
        expect([store.countAliases(scopeA, keyIdOf(1)), store.countAliases(scopeA, keyIdOf(2))]).toEqual([0, 1]);
        await expect(store.commit([{ kind: 'put-alias', record: moved, replacesVersion: 1 }])).rejects.toBeInstanceOf(StoreConflictError);
      });

      test('a deleted alias is gone, and deleting it again is a conflict', async () => {
        await createAlias('alias/a', keyIdOf(1));
        const change = { kind: 'delete-alias', record: aliasOf('alias/a', keyIdOf(1)) } as const;
        await store.commit([change]);
        expect(store.alias(scopeA, 'alias/a')).toBeUndefined();
        expect(store.listAliases(scopeA, keyIdOf(1), undefined, 10).items).toEqual([]);
        await expect(store.commit([change])).rejects.toBeInstanceOf(StoreConflictError);
      });
    });

    itemContract(() => store);

    describe('transactions', () => {
      test('a transaction with one conflict changes nothing at all', async () => {
        await createAlias('alias/taken', keyIdOf(9));
        const transaction = store.commit([
          { kind: 'put-key', record: keyOf(1), replacesVersion: 0 },
          { kind: 'put-intent', record: intentOf(1) },
          { kind: 'put-alias', record: aliasOf('alias/taken', keyIdOf(1)), replacesVersion: 0 },
        ]);
        await expect(transaction).rejects.toBeInstanceOf(StoreConflictError);
        expect(store.key(scopeA, keyIdOf(1))).toBeUndefined();
        expect(store.intents()).toEqual([]);
      });

      test('later changes of a transaction see earlier ones', async () => {
        await store.commit([
          { kind: 'put-key', record: keyOf(1), replacesVersion: 0 },
          { kind: 'put-key', record: keyOf(1, { version: 2, description: 'second' }), replacesVersion: 1 },
        ]);
        expect(store.key(scopeA, keyIdOf(1))?.description).toBe('second');
      });

      test('of many writers that commit at once each gets its own outcome', async () => {
        const outcomes = await Promise.allSettled([1, 2, 1, 3, 2, 4].map(async (number) => create(number)));
        expect(outcomes.map((outcome) => outcome.status)).toEqual([
          'fulfilled',
          'fulfilled',
          'rejected',
          'fulfilled',
          'rejected',
          'fulfilled',
        ]);
        expect(store.countKeys(scopeA)).toBe(4);
      });

      test('an empty transaction resolves', async () => {
        await expect(store.commit([])).resolves.toBeUndefined();
      });

      test('transact decides again on fresh data when another writer was first: 64 increments give 64', async () => {
        await create(1, { description: '0' });
        const increment = async (): Promise<number> =>
          store.transact((fresh) => {
            const current = fresh.key(scopeA, keyIdOf(1))!;
            const count = Number(current.description) + 1;
            const record = { ...current, version: current.version + 1, description: String(count) };
            return { changes: [{ kind: 'put-key', record, replacesVersion: current.version }], result: count };
          });
        const results = await Promise.all(Array.from({ length: 64 }, increment));
        expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, index) => index + 1));
        expect(store.key(scopeA, keyIdOf(1))?.version).toBe(65);
      });

      test('transact gives up with a conflict after a bounded number of decisions', async () => {
        let decisions = 0;
        const hopeless = store.transact(() => {
          decisions += 1;
          return { changes: [{ kind: 'put-key', record: keyOf(1, { version: 9 }), replacesVersion: 8 }], result: undefined };
        });
        await expect(hopeless).rejects.toBeInstanceOf(StoreConflictError);
        expect(decisions).toBeGreaterThan(1);
        expect(decisions).toBeLessThan(100);
      });

      test('transact passes on what the decision throws, and commits nothing', async () => {
        await expect(
          store.transact(() => {
            throw new TypeError('no');
          }),
        ).rejects.toThrow('no');
      });
    });

    describe('intents', () => {
      test('an intent stands until it is deleted with its fence', async () => {
        await store.commit([{ kind: 'put-intent', record: intentOf(1) }]);
        expect(store.intents()).toEqual([intentOf(1)]);
        const { intentId } = intentOf(1);
        await expect(store.commit([{ kind: 'delete-intent', intentId, fence: 2 }])).rejects.toBeInstanceOf(StoreConflictError);
        await store.commit([{ kind: 'delete-intent', intentId, fence: 1 }]);
        expect(store.intents()).toEqual([]);
        await expect(store.commit([{ kind: 'delete-intent', intentId, fence: 1 }])).rejects.toBeInstanceOf(StoreConflictError);
      });

      test('its owner may extend the lease; another owner or fence may not', async () => {
        await store.commit([{ kind: 'put-intent', record: intentOf(1) }]);
        await store.commit([{ kind: 'put-intent', record: intentOf(1, { leaseUntilMs: 2_000 }) }]);
        expect(store.intents()[0]?.leaseUntilMs).toBe(2_000);
        for (const other of [{ owner: 'second' }, { fence: 2 }, { fence: 0 }]) {
          const change = { kind: 'put-intent', record: intentOf(1, other) } as const;
          await expect(store.commit([change])).rejects.toBeInstanceOf(StoreConflictError);
        }
      });

      test('only intents whose lease has ended are taken over; the former owner is refused from then on', async () => {
        await store.commit([
          { kind: 'put-intent', record: intentOf(1, { leaseUntilMs: 999 }) },
          { kind: 'put-intent', record: intentOf(2, { leaseUntilMs: 1_001 }) },
        ]);
        const taken = await store.takeOverIntents('second', 1_000, 5_000);
        expect(taken).toEqual([intentOf(1, { owner: 'second', fence: 2, leaseUntilMs: 5_000 })]);
        expect(store.intents().toSorted((a, b) => b.fence - a.fence)).toEqual([taken[0], intentOf(2, { leaseUntilMs: 1_001 })]);

        const finish = [
          { kind: 'put-key', record: keyOf(1), replacesVersion: 0 },
          { kind: 'delete-intent', intentId: intentOf(1).intentId, fence: 1 },
        ] as const;
        await expect(store.commit(finish)).rejects.toBeInstanceOf(StoreConflictError);
        expect(store.key(scopeA, keyIdOf(1))).toBeUndefined();
      });

      test('two that take over at once do not both get an intent', async () => {
        await store.commit([{ kind: 'put-intent', record: intentOf(1, { leaseUntilMs: 1 }) }]);
        const [first, second] = await Promise.all([store.takeOverIntents('a', 10, 100), store.takeOverIntents('b', 10, 100)]);
        expect(first.length + second.length).toBe(1);
      });
    });

    describe('use leases and marks', () => {
      test('leases of a material add up, each seeing its own total', async () => {
        const totals = await Promise.all(Array.from({ length: 8 }, async () => store.leaseUses('m', 65_536)));
        expect(totals.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 8 }, (_, index) => 65_536 * (index + 1)));
        expect(await store.leaseUses('other', 1)).toBe(1);
      });

      test.each([0, -1, 1.5, Number.NaN])('a lease of %d uses is refused', async (count) => {
        await expect(store.leaseUses('m', count)).rejects.toBeInstanceOf(RangeError);
      });

      test('a mark is set, replaced and removed', async () => {
        await store.setMark('clock', '1');
        await store.setMark('clock', '2');
        expect(store.mark('clock')).toBe('2');
        await store.setMark('clock', undefined);
        expect(store.mark('clock')).toBeUndefined();
      });
    });

    describe('closing and reopening', () => {
      test('a closed store refuses writes with StoreUnavailableError', async () => {
        await store.close();
        await expect(create(1)).rejects.toBeInstanceOf(StoreUnavailableError);
        store = await place.open();
      });

      test('closing waits for the writes that were begun', async () => {
        const begun = create(1);
        await store.close();
        await expect(begun).resolves.toBeUndefined();
        store = await place.open();
      });

      test('everything that was committed is there after reopening', async (context) => {
        const imported = { state: 'IMPORTED', expirationModel: 'KEY_MATERIAL_EXPIRES', validToMs: 7, throughSoftware: true } as const;
        const key = keyOf(1, {
          state: 'PendingDeletion',
          deletionAtMs: 5,
          materials: [
            { ...materialOf(1), import: imported },
            { ...materialOf(2), rotation: { type: 'ON_DEMAND', atMs: 6 }, pending: 'PENDING_ROTATION' },
          ],
          primaryRegion: scopeA.region,
          rotationSchedule: { periodDays: 365, nextAtMs: 9 },
          customKeyStoreId: 'cks-1',
          xksKeyId: 'external',
        });
        await store.commit([
          { kind: 'put-key', record: key, replacesVersion: 0 },
          { kind: 'put-alias', record: aliasOf('alias/a', key.keyId), replacesVersion: 0 },
          { kind: 'put-item', record: itemOf('a'), replacesVersion: 0 },
          { kind: 'put-intent', record: intentOf(1) },
        ]);
        await store.setMark('latch', 'closed');
        await store.leaseUses('m', 10);
        const { generation } = store;
        await reopenRule(context);
        expect(store.key(scopeA, key.keyId)).toStrictEqual(key);
        expect(store.keysPendingDeletion()).toEqual([key]);
        expect(store.scheduledKeys()).toEqual([key]);
        expect(store.listItems('grant', keyIdOf(1), undefined, 10).items).toStrictEqual([itemOf('a')]);
        expect(store.listAliases(scopeA, key.keyId, undefined, 10).items).toEqual([aliasOf('alias/a', key.keyId)]);
        expect(store.intents()).toEqual([intentOf(1)]);
        expect(store.mark('latch')).toBe('closed');
        expect(await store.leaseUses('m', 1)).toBe(11);
        expect(store.generation).toBeGreaterThan(generation);
      });
    });
  });
}
