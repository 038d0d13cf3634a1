/**
 * Compares what the store remembers with what the key stores hold, and reports both differences. It never repairs: an object that
 * nobody knows may be another's, and a material that is not found may be behind a fault.
 */
import { toHex } from '../../bytes.ts';
import { keyArn } from '../../keys/arn.ts';
import { isPresent } from '../../keys/key-record.ts';
import { importParametersKind } from '../import-parameters.ts';
import type { KeyStore } from '../../keystore/keystore.ts';
import type { ServiceParts } from '../operation.ts';

/** What differs in one key store. */
export interface PresenceReport {
  readonly keyStore: string;
  /** Materials that the store remembers and the key store does not list. */
  readonly missing: readonly { readonly keyArn: string; readonly materialId: string }[];
  /** Object ids (hex) that the key store lists and the store does not know. */
  readonly unknownObjectIds: readonly string[];
}

interface KnownObjects {
  /** Materials of the key store by object id (hex). */
  readonly materials: ReadonlyMap<string, { readonly keyArn: string; readonly materialId: string }>;
  /** Object ids (hex) of the materials of all key stores, since two of them may share a token, and of intents and of wrapping keys for imports. */
  readonly ids: ReadonlySet<string>;
  /** Object ids of the adopted materials of the key store. */
  readonly adopted: readonly Uint8Array[];
}

/** Compares one key store. Rejects with KeyStoreError when it cannot be listed. */
export async function comparePresence(keyStore: KeyStore, parts: ServiceParts): Promise<PresenceReport> {
  // Keys come and go meanwhile: only what the store says before and after the listing counts as missing, and only what it
  // says neither before nor after counts as unknown.
  const before = knownObjects(keyStore.name, parts);
  const listed = new Set((await keyStore.listObjectIds(before.adopted)).map(toHex));
  const after = knownObjects(keyStore.name, parts);
  const isKnown = (id: string): boolean => [before, after].some((known) => known.ids.has(id));
  return {
    keyStore: keyStore.name,
    missing: [...after.materials].filter(([id]) => before.materials.has(id) && !listed.has(id)).map(([, material]) => material),
    unknownObjectIds: [...listed].filter((id) => !isKnown(id)),
  };
}

function knownObjects(keyStore: string, { store }: ServiceParts): KnownObjects {
  const materials = new Map<string, { keyArn: string; materialId: string }>();
  const adopted: Uint8Array[] = [];
  const ids = new Set(store.intents().map((intent) => toHex(intent.objectId)));
  for (const { name } of store.allItems(importParametersKind)) ids.add(name);
  for (const key of store.allKeys()) {
    for (const material of key.materials.filter((held) => held.residency === 'token' && isPresent(held))) {
      const id = toHex(material.reference);
      ids.add(id);
      if (material.keyStore !== keyStore) continue;
      materials.set(id, { keyArn: keyArn(key), materialId: material.materialId });
      if (material.adopted === true) adopted.push(material.reference);
    }
  }
  return { materials, ids, adopted };
}
