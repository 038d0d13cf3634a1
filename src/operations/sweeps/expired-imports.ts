/**
 * What ends by itself in imports: materials at their ValidTo, sets of parameters after 24 hours. A use is refused from that moment on
 * whether the sweep has run or not (`keyAt`); here the bytes go.
 */
import { isExpired } from '../../keys/imported-materials.ts';
import { discardMaterials } from '../discard-materials.ts';
import { importParametersKind, importParametersOf } from '../import-parameters.ts';
import { importsMaterial } from '../region-key-store.ts';
import { clockJumpMark } from './destroy-key.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { ItemRecord } from '../../store/store.ts';
import type { ServiceParts } from '../operation.ts';

/** Destroys the materials whose time is over. Resolves to their number. While a jump of the wall clock is not confirmed it destroys none. */
export async function sweepExpiredMaterials(parts: ServiceParts): Promise<number> {
  if (parts.store.mark(clockJumpMark) !== undefined) return 0;
  const nowMs = parts.clock.nowMs();
  let destroyed = 0;
  for (const key of parts.store.scheduledKeys()) {
    if (key.materials.some((material) => isExpired(material, nowMs))) destroyed += await destroyExpired(key, nowMs, parts);
  }
  return destroyed;
}

/** Removes the sets of parameters that are no longer valid, with the private halves of their wrapping keys. */
export async function sweepExpiredParameters(parts: ServiceParts): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const expired = [...parts.store.allItems(importParametersKind)].filter((item) => importParametersOf(item).validToMs <= nowMs);
  for (const item of expired) await removeParameters(item, parts);
}

async function destroyExpired(key: KeyRecord, nowMs: number, parts: ServiceParts): Promise<number> {
  const names = { keyId: key.keyId, account: key.account, region: key.region };
  try {
    const destroyed = await discardMaterials((store) => {
      const current = store.key(key, key.keyId);
      return current && { key: current, picked: current.materials.filter((material) => isExpired(material, nowMs)) };
    }, parts);
    for (const { materialId } of destroyed) parts.log.info({ ...names, materialId }, 'imported key material has expired');
    return destroyed.length;
  } catch (error) {
    parts.log.warn({ ...names, err: error }, 'imported key material that has expired is not destroyed yet');
    return 0;
  }
}

async function removeParameters(item: ItemRecord, parts: ServiceParts): Promise<void> {
  const { keyStore: name, importKey } = importParametersOf(item);
  try {
    const keyStore = parts.keyStores.byName(name);
    if (importsMaterial(keyStore)) await keyStore.destroyImportKey(importKey);
    await parts.store.commit([{ kind: 'delete-item', record: item }]);
  } catch (error) {
    parts.log.warn({ key: item.owner, keyStore: name, err: error }, 'expired parameters of an import are not removed yet');
  }
}
