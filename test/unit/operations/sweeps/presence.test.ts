/** The comparison of store and key store: differences are reported, never repaired, and movement is no difference. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../../src/bytes.ts';
import { comparePresence } from '../../../../src/operations/sweeps/presence.ts';
import { FakeKeyStore } from '../../../support/fake-key-store.ts';
import { openFixture } from '../../../support/kms-fixture.ts';
import { intentOf } from '../../../support/store-records.ts';

describe('comparePresence', () => {
  test('finds nothing when every key has its object', async () => {
    const { createKey, keyStore, parts } = openFixture();
    await createKey();
    await createKey();
    expect(await comparePresence(keyStore, parts)).toEqual({ keyStore: 'main', missing: [], unknownObjectIds: [] });
  });

  test('reports a material without object and an object without key, and touches neither', async () => {
    const { createKey, keyStore, store, caller, parts } = openFixture();
    const { KeyId, Arn, CurrentKeyMaterialId } = await createKey();
    keyStore.objects.clear();
    keyStore.objects.set('ab'.repeat(16), new Uint8Array(32));
    expect(await comparePresence(keyStore, parts)).toEqual({
      keyStore: 'main',
      missing: [{ keyArn: Arn, materialId: CurrentKeyMaterialId }],
      unknownObjectIds: ['ab'.repeat(16)],
    });
    expect([store.key(caller, KeyId)?.state, keyStore.objects.size]).toEqual(['Enabled', 1]);
  });

  test('knows the objects of another key store on the same token, and does not look for them', async () => {
    const { createKey, keyStore, parts } = openFixture();
    await createKey();
    const other = new FakeKeyStore('other');
    for (const [id, bytes] of keyStore.objects) other.objects.set(id, bytes);
    expect(await comparePresence(other, parts)).toEqual({ keyStore: 'other', missing: [], unknownObjectIds: [] });
    other.objects.clear();
    expect(await comparePresence(other, parts)).toMatchObject({ missing: [] });
  });

  test('knows the objects that intents name', async () => {
    const { keyStore, store, parts } = openFixture();
    await store.commit([{ kind: 'put-intent', record: intentOf(1) }]);
    keyStore.objects.set(toHex(intentOf(1).objectId), new Uint8Array(32));
    expect(await comparePresence(keyStore, parts)).toMatchObject({ unknownObjectIds: [] });
  });

  test('a key that is made, and one that is deleted, while the objects are listed is no difference', async () => {
    const { createKey, keyStore, store, caller, parts } = openFixture();
    const { KeyId } = await createKey();
    const list = keyStore.listObjectIds.bind(keyStore);
    keyStore.listObjectIds = async () => {
      await createKey();
      keyStore.objects.delete(toHex(store.key(caller, KeyId)!.materials[0]!.reference));
      const listed = await list();
      await store.commit([{ kind: 'delete-key', record: store.key(caller, KeyId)! }]);
      return listed;
    };
    expect(await comparePresence(keyStore, parts)).toEqual({ keyStore: 'main', missing: [], unknownObjectIds: [] });
  });
});
