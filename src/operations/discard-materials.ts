/**
 * The end of imported materials, on demand or because their time is over: record and intents on disk first, so that nothing is used any
 * more and nothing is lost by a crash; then the materials are forgotten and destroyed, and the intents end.
 */
import { withoutMaterials } from '../keys/imported-materials.ts';
import { isPresent } from '../keys/key-record.ts';
import { newIntent, objectIdOf } from './intents.ts';
import { putShared } from './multi-region/key-family.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { Change, IntentRecord, Store } from '../store/store.ts';
import type { OwnedMaterial } from './multi-region/key-family.ts';
import type { ServiceParts } from './operation.ts';

/** Picks materials of the newest record of a key, or throws KmsError to refuse; none of them when there is no such key any more. */
export type PickMaterials = (store: Store) => { readonly key: KeyRecord; readonly picked: readonly MaterialRecord[] } | undefined;

interface Discarded extends OwnedMaterial {
  readonly intent: IntentRecord;
}

/**
 * Discards the materials that `pick` names and that are there, and what other Regions have of pending ones. Resolves to them when they are destroyed. When a key store fails, they are
 * out of use already, and the sweep of intents destroys them.
 */
export async function discardMaterials(pick: PickMaterials, parts: ServiceParts): Promise<readonly MaterialRecord[]> {
  const discarded = await parts.store.transact((store) => {
    const { key, picked } = pick(store) ?? { picked: [] };
    const gone = picked.filter((material) => isPresent(material));
    if (key === undefined || gone.length === 0) return { changes: [], result: [] };
    const { changes, dropped } = putShared(
      store,
      withoutMaterials(key, (material) => gone.includes(material)),
    );
    const result = [...gone.map((material) => ({ key, material })), ...dropped].map((owned) => withIntent(owned, parts));
    return { changes: [...changes, ...result.map(({ intent }): Change => ({ kind: 'put-intent', record: intent }))], result };
  });
  for (const one of discarded) await destroy(one, parts);
  return discarded.map(({ material }) => material);
}

function withIntent({ key, material }: OwnedMaterial, parts: ServiceParts): Discarded {
  return { key, material, intent: newIntent('discard-material', key, material.keyStore, objectIdOf(material), parts) };
}

/** What is cached of the material goes first: nothing may be sealed or opened with it while it is being destroyed. */
async function destroy({ key, material, intent }: Discarded, parts: ServiceParts): Promise<void> {
  const keyStore = parts.keyStores.byName(material.keyStore);
  await keyStore.forget(material.materialId);
  await keyStore.destroyMaterial({ key, material });
  await parts.store.commit([{ kind: 'delete-intent', intentId: intent.intentId, fence: intent.fence }]);
}
