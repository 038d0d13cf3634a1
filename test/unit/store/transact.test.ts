/** Many writers of one record: all get through, however they arrive. */
import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { StoreConflictError } from '../../../src/store/store.ts';
import { Transactor } from '../../../src/store/transact.ts';
import type { Change, Store } from '../../../src/store/store.ts';

/** A store of one record, which is read at once and written two ticks later. */
function recordStore(): { readonly store: Store; readonly versions: () => number } {
  let version = 0;
  const commit = async ([change]: readonly Change[]): Promise<void> => {
    const replaces = (change as { readonly replacesVersion: number }).replacesVersion;
    await tick();
    await tick();
    if (replaces !== version) throw new StoreConflictError('somebody was first');
    version += 1;
  };
  return {
    store: {
      commit,
      get generation() {
        return version;
      },
    } as Store,
    versions: () => version,
  };
}

test.each([0, 1, 2, 3])('200 writers of one record that arrive %i ticks apart all get through', async (ticks) => {
  const { store, versions } = recordStore();
  const transactor = new Transactor(store);
  const writers: Promise<unknown>[] = [];
  for (let writer = 0; writer < 200; writer += 1) {
    const decide = (current: Store): { changes: readonly Change[]; result: number } => ({
      changes: [{ kind: 'put-key', replacesVersion: current.generation } as Change],
      result: writer,
    });
    writers.push(transactor.transact(decide));
    for (let passed = 0; passed < ticks; passed += 1) await tick();
  }
  expect((await Promise.allSettled(writers)).filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(versions()).toBe(200);
});
