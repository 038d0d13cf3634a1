/**
 * The end of the states Creating and Updating. The record is complete when a key enters them: this ends them in the background, and the
 * sweeps end what a restart interrupted.
 */
import { inStateOfMaterials } from '../../keys/imported-materials.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { ServiceParts } from '../operation.ts';

/** Ends the passing state of `key` after the request was answered. */
export function settleInBackground(key: KeyRecord, parts: ServiceParts): void {
  parts.background?.start(async () => {
    await settleState(key, parts);
  });
}

/** Ends all passing states. Resolves to their number. */
export async function sweepPassingStates(parts: ServiceParts): Promise<number> {
  let settled = 0;
  for (const key of parts.store.scheduledKeys().filter(isPassing)) if (await settleState(key, parts)) settled += 1;
  return settled;
}

/** Never rejects: what fails is logged, and repeated by the sweeps. Resolves to whether the state was ended. */
async function settleState(key: KeyRecord, { store, log }: ServiceParts): Promise<boolean> {
  const names = { keyId: key.keyId, account: key.account, region: key.region };
  try {
    const state = await store.transact((newest) => {
      const current = newest.key(key, key.keyId);
      if (current === undefined || !isPassing(current)) return { changes: [], result: undefined };
      const record = { ...inStateOfMaterials({ ...current, state: 'Enabled' }), version: current.version + 1 };
      return { changes: [{ kind: 'put-key', record, replacesVersion: current.version }], result: record.state };
    });
    if (state !== undefined) log.info({ ...names, state }, 'multi-Region key is ready');
    return state !== undefined;
  } catch (error) {
    log.warn({ ...names, state: key.state, err: error }, 'the state of a multi-Region key is not settled and will be repeated');
    return false;
  }
}

function isPassing({ state }: KeyRecord): boolean {
  return state === 'Creating' || state === 'Updating';
}
