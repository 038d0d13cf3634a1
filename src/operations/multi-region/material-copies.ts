/**
 * Copies of key material in the key stores of other Regions: wrapped by the store that holds it, received by the store of the Region, and
 * recorded together or not at all. Knows no request.
 */
import { KmsError } from '../../errors.ts';
import { transportsMaterial } from '../../keystore/pinned-peers.ts';
import { makeObject } from '../make-object.ts';
import type { KeyIdentity, KeyRecord, MaterialRecord } from '../../keys/key-record.ts';
import type { KeyStore, MaterialTransport } from '../../keystore/keystore.ts';
import type { Change } from '../../store/store.ts';
import type { ServiceParts } from '../operation.ts';

/** A material and the key of another Region that is to have it too. */
export interface WantedCopy {
  readonly material: MaterialRecord;
  readonly to: KeyIdentity;
}

/** Records all copies, in the order in which they were wanted, with `ends` among the changes. */
type RecordCopies<Result> = (copies: readonly MaterialRecord[], ends: readonly Change[]) => Promise<Result>;

/** Makes the copies of materials of `key`, and records them with `record`. When anything fails, what was made is destroyed again. */
export async function makeCopies<Result>(
  key: KeyRecord,
  wanted: readonly WantedCopy[],
  record: RecordCopies<Result>,
  parts: ServiceParts,
): Promise<Result> {
  const [first, ...rest] = wanted;
  if (first === undefined) return record([], []);
  const { material, to } = first;
  const source = transportOf(parts.keyStores.byName(material.keyStore));
  const target = storeForCopies(material, to.region, parts);
  const { keySpec, keyUsage } = key;
  return makeObject(
    {
      kind: 'create-material',
      key: to,
      keyStore: target,
      make: async (objectId) => {
        const wrapped = await source.wrapForTransport({ key, material }, target.name);
        return target.receiveTransported(
          { key: to, keySpec, keyUsage, objectId, multiRegion: true },
          { material, wrapped, from: source.name },
        );
      },
      record: async (copy, end) => {
        const result = await makeCopies(key, rest, (copies, ends) => record([copy, ...copies], [end, ...ends]), parts);
        return { result, isKept: true };
      },
    },
    parts,
  );
}

/**
 * The key store of a Region for copies of a material: of the same protection, so that nothing of hardware leaves it. Throws KmsError
 * UnsupportedOperationException when the Region has none.
 */
function storeForCopies(
  { keyStore, protection }: MaterialRecord,
  region: string,
  { keyStores }: ServiceParts,
): KeyStore & MaterialTransport {
  const candidates = [keyStores.forNewKeys(region), keyStores.fallbackForNewKeys(region)].filter((store) => store !== undefined);
  if (candidates.length === 0) {
    throw unsupported(`No key store serves the Region ${region}. Add the Region to the configuration of the service.`);
  }
  const found = candidates.find((store) => store.protection === protection && transportsMaterial(store));
  if (found !== undefined) return transportOf(found);
  throw unsupported(`No key store of the Region ${region} can take key material from ${keyStore} (${protection}).`);
}

function transportOf(keyStore: KeyStore): KeyStore & MaterialTransport {
  if (transportsMaterial(keyStore)) return keyStore;
  throw unsupported(`The key store ${keyStore.name} does not replicate key material.`);
}

function unsupported(reason: string): KmsError {
  return new KmsError('UnsupportedOperationException', reason);
}
