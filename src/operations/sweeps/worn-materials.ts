/**
 * Materials of the suite `direct` that come near the end of their uses: noted when their uses are leased, so that the sweep of rotations
 * replaces them in time. A note that is lost is made again with the next lease; there are thousands of them before the end.
 */
import { usesWarnedAt } from '../../keystore/symmetric/direct-uses.ts';
import { StoreConflictError } from '../../store/store.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { UsageLeases } from '../../keystore/keystore.ts';
import type { ItemRecord, Store } from '../../store/store.ts';

const wornMaterialKind = 'worn-material';
/** Notes have one owner, the suite: a lease does not know the key of its material. */
const owner = 'direct';
const notesPerRoundMax = 500;

/** Leases of the store, which note the materials that near their limit. */
export function leasesNotingWear(store: Store): UsageLeases {
  return {
    lease: async (materialId, count) => {
      const total = await store.leaseUses(materialId, count);
      if (total >= usesWarnedAt && store.item(wornMaterialKind, owner, materialId) === undefined) await note(materialId, store);
      return total;
    },
  };
}

async function note(materialId: string, store: Store): Promise<void> {
  const record: ItemRecord = { kind: wornMaterialKind, owner, name: materialId, version: 1, value: null };
  try {
    await store.commit([{ kind: 'put-item', record, replacesVersion: 0 }]);
  } catch (error) {
    if (!(error instanceof StoreConflictError)) throw error;
  }
}

/** The keys that encrypt under a noted material, and the notes of it are gone. Looks at all keys, but only when there is a note. */
export async function takeWornKeys(store: Store): Promise<readonly KeyRecord[]> {
  const notes = store.listItems(wornMaterialKind, owner, undefined, notesPerRoundMax).items;
  if (notes.length === 0) return [];
  const worn = new Set(notes.map(({ name }) => name));
  const keys = [...store.allKeys()].filter(({ currentMaterialId }) => currentMaterialId !== undefined && worn.has(currentMaterialId));
  await store.commit(notes.map((record) => ({ kind: 'delete-item', record })));
  return keys;
}
