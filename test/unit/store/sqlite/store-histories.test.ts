/** Random histories of changes, with the store reopened in between, against a plain model. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KeyState } from '../../../../src/keys/key-record.ts';
import { StoreConflictError, type Change } from '../../../../src/store/store.ts';
import { newSqlitePlace } from '../../../support/sqlite-place.ts';
import { contentsOf, StoreModel } from '../../../support/store-model.ts';
import { aliasOf, intentOf, keyIdOf, keyOf, materialOf } from '../../../support/store-records.ts';

const number = fc.integer({ min: 0, max: 2 });
const version = fc.integer({ min: 0, max: 3 });
const state = fc.constantFrom<KeyState>('Enabled', 'PendingDeletion');
const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const materials = fc.uniqueArray(number).map((numbers) => numbers.map(materialOf));
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(number, version, state, text, materials).map(([n, replacesVersion, state, description, materials]): Change => {
    return { kind: 'put-key', record: keyOf(n, { version: replacesVersion + 1, state, description, materials }), replacesVersion };
  }),
  fc.tuple(number, version).map(([n, version]): Change => ({ kind: 'delete-key', record: keyOf(n, { version }) })),
  fc.tuple(fc.constantFrom('alias/a', 'alias/b'), number, version).map(([name, n, replacesVersion]): Change => {
    return { kind: 'put-alias', record: aliasOf(name, keyIdOf(n), { version: replacesVersion + 1 }), replacesVersion };
  }),
  fc.tuple(fc.constantFrom('alias/a', 'alias/b'), version).map(([name, version]): Change => {
    return { kind: 'delete-alias', record: aliasOf(name, '', { version }) };
  }),
  fc.tuple(number, fc.constantFrom(1, 2)).map(([n, fence]): Change => ({ kind: 'put-intent', record: intentOf(n, { fence }) })),
  fc.tuple(number, fc.constantFrom(1, 2)).map(([n, fence]): Change => ({ kind: 'delete-intent', intentId: intentOf(n).intentId, fence })),
);
const act = fc.oneof(
  { weight: 8, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => ({ kind: 'commit' as const, changes })) },
  { weight: 1, arbitrary: fc.option(text, { nil: undefined }).map((value) => ({ kind: 'mark' as const, value })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

test('any history leaves what a plain model holds, before and after reopening', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 60 }), async (acts) => {
      const fresh = await newSqlitePlace();
      const model = new StoreModel();
      let store = await fresh.open();
      const reopen = async (): Promise<void> => {
        await store.close();
        store = await fresh.open();
      };
      try {
        for (const one of acts) {
          if (one.kind === 'reopen') await reopen();
          else if (one.kind === 'mark') await store.setMark('m', (model.mark = one.value));
          else if (model.commit(one.changes)) await store.commit(one.changes);
          else await expect(store.commit(one.changes)).rejects.toBeInstanceOf(StoreConflictError);
          expect(contentsOf(store)).toStrictEqual(model.contents());
        }
        await reopen();
        expect(contentsOf(store)).toStrictEqual(model.contents());
      } finally {
        await store.close();
        await fresh.remove();
      }
    }),
    { numRuns: 25, seed: 20_261_123 },
  );
});
