/** Reads the whole database into a snapshot, chunk by chunk, while the thread already fetches the next one. */
import type { KeyRecord } from '../../keys/key-record.ts';
import { Snapshot } from '../snapshot.ts';
import type { DatabaseThread } from './database-thread.ts';
import { rowToAlias, rowToIntent, rowToItem, rowToKey, type ShareText } from './record-rows.ts';

/** Texts kept for sharing while loading: enough for the policies and accounts of a large service. */
const sharedTextsMax = 50_000;

export async function loadSnapshot(thread: DatabaseThread, generation: number): Promise<Snapshot> {
  const snapshot = new Snapshot();
  const share = textSharer();
  await loadKeys(thread, snapshot, share);
  await loadAliases(thread, snapshot, share);
  await loadItems(thread, snapshot, share);
  const { intents, marks } = await thread.call('loadRest', undefined);
  for (const row of intents) snapshot.apply({ kind: 'put-intent', record: rowToIntent(row) });
  for (const [name, value] of marks) snapshot.apply({ kind: 'set-mark', name, value });
  snapshot.generation = generation;
  return snapshot;
}

async function loadKeys(thread: DatabaseThread, snapshot: Snapshot, share: ShareText): Promise<void> {
  const records: KeyRecord[] = [];
  let chunk = await thread.call('loadKeys', 0);
  while (chunk.length > 0) {
    const next = thread.call('loadKeys', chunk.at(-1)?.keyRow ?? 0);
    for (const { row, materials } of chunk) records.push(rowToKey(row, materials, share));
    chunk = await next;
  }
  // All at once: the names of each scope are sorted once.
  snapshot.loadKeys(records);
}

async function loadAliases(thread: DatabaseThread, snapshot: Snapshot, share: ShareText): Promise<void> {
  let chunk = await thread.call('loadAliases', undefined);
  while (chunk.length > 0) {
    const next = thread.call('loadAliases', chunk.at(-1));
    for (const row of chunk) snapshot.apply({ kind: 'put-alias', record: rowToAlias(row, share), replacesVersion: 0 });
    chunk = await next;
  }
}

async function loadItems(thread: DatabaseThread, snapshot: Snapshot, share: ShareText): Promise<void> {
  let chunk = await thread.call('loadItems', undefined);
  while (chunk.length > 0) {
    const next = thread.call('loadItems', chunk.at(-1));
    for (const row of chunk) snapshot.apply({ kind: 'put-item', record: rowToItem(row, share), replacesVersion: 0 });
    chunk = await next;
  }
}

function textSharer(): ShareText {
  const texts = new Map<string, string>();
  return (text) => {
    const known = texts.get(text);
    if (known === undefined && texts.size < sharedTextsMax) texts.set(text, text);
    return known ?? text;
  };
}
