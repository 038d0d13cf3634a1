/** The rules of interface Store about items. Part of the store contract. */
import { describe, expect, test } from 'vitest';
import { StoreConflictError } from '../../src/store/store.ts';
import type { Store } from '../../src/store/store.ts';
import { itemOf, keyIdOf } from '../support/store-records.ts';

async function createItem(store: Store, name: string, changes: Parameters<typeof itemOf>[1] = {}): Promise<void> {
  await store.commit([{ kind: 'put-item', record: itemOf(name, changes), replacesVersion: 0 }]);
}

/** `store` gives the open, empty store of the test that runs. */
export function itemContract(store: () => Store): void {
  describe('items', () => {
    test('items are found by kind, owner and name, and listed by owner in order of name', async () => {
      await createItem(store(), 'b');
      await createItem(store(), 'a');
      await createItem(store(), 'c', { owner: keyIdOf(2) });
      await createItem(store(), 'a', { kind: 'import', value: 'other' });
      expect(store().item('grant', keyIdOf(1), 'a')).toStrictEqual(itemOf('a'));
      expect(store().item('grant', keyIdOf(2), 'a')).toBeUndefined();
      expect(store().listItems('grant', keyIdOf(1), undefined, 1)).toEqual({ items: [itemOf('a')], next: 'a' });
      expect(store().listItems('grant', keyIdOf(1), 'a', 5)).toEqual({ items: [itemOf('b')], next: undefined });
      expect([store().countItems('grant', keyIdOf(1)), store().countItems('none', keyIdOf(1))]).toEqual([2, 0]);
      expect([...store().allItems('grant')].map(({ name }) => name).toSorted()).toEqual(['a', 'b', 'c']);
    });

    test('an item is replaced and deleted at its version only', async () => {
      await createItem(store(), 'a');
      await expect(createItem(store(), 'a')).rejects.toBeInstanceOf(StoreConflictError);
      const second = itemOf('a', { version: 2, value: [] });
      await store().commit([{ kind: 'put-item', record: second, replacesVersion: 1 }]);
      expect(store().item('grant', keyIdOf(1), 'a')).toEqual(second);
      await expect(store().commit([{ kind: 'delete-item', record: itemOf('a') }])).rejects.toBeInstanceOf(StoreConflictError);
      await store().commit([{ kind: 'delete-item', record: second }]);
      expect(store().item('grant', keyIdOf(1), 'a')).toBeUndefined();
      expect(store().listItems('grant', keyIdOf(1), undefined, 5).items).toEqual([]);
    });

    test('what is no JSON is refused, and an item cannot be altered from outside', async () => {
      for (const value of [new Uint8Array(1), Number.NaN, new Date(0), undefined]) {
        await expect(createItem(store(), 'a', { value: value as never })).rejects.toBeInstanceOf(RangeError);
      }
      const value = { list: ['kept'] };
      await createItem(store(), 'a', { value });
      value.list[0] = 'altered';
      expect(store().item('grant', keyIdOf(1), 'a')?.value).toEqual({ list: ['kept'] });
    });
  });
}
