/** Reads the whole database into a snapshot, chunk by chunk, while the thread already fetches the next one. */
import { Snapshot } from '../snapshot.ts';
import type { DatabaseThread } from './database-thread.ts';
import { rowToAlias, rowToIntent, rowToKey, type Row } from './record-rows.ts';

export async function loadSnapshot(thread: DatabaseThread, generation: number): Promise<Snapshot> {
  const snapshot = new Snapshot();
  const shared = new SharedTexts();
  await loadKeys(thread, snapshot, shared);
  await loadAliases(thread, snapshot, shared);
  const { intents, marks } = await thread.call('loadRest', undefined);
  for (const row of intents) snapshot.apply({ kind: 'put-intent', record: rowToIntent(row) });
  for (const [name, value] of marks) snapshot.apply({ kind: 'set-mark', name, value });
  snapshot.generation = generation;
  return snapshot;
}

async function loadKeys(thread: DatabaseThread, snapshot: Snapshot, shared: SharedTexts): Promise<void> {
  let chunk = await thread.call('loadKeys', undefined);
  while (chunk.length > 0) {
    const records = chunk.map(({ row, materials }) =>
      rowToKey(
        shared.in(row),
        materials.map((material) => shared.in(material)),
      ),
    );
    const next = thread.call('loadKeys', records.at(-1));
    for (const record of records) snapshot.apply({ kind: 'put-key', record, replacesVersion: 0 });
    chunk = await next;
  }
}

async function loadAliases(thread: DatabaseThread, snapshot: Snapshot, shared: SharedTexts): Promise<void> {
  let chunk = await thread.call('loadAliases', undefined);
  while (chunk.length > 0) {
    const next = thread.call('loadAliases', chunk.at(-1));
    for (const row of chunk) snapshot.apply({ kind: 'put-alias', record: rowToAlias(shared.in(row)), replacesVersion: 0 });
    chunk = await next;
  }
}

/** Keeps one copy of texts that many records repeat (accounts, Regions, default policies): 1 KiB less for each key. */
class SharedTexts {
  readonly #textsMax = 50_000;
  readonly #texts = new Map<string, string>();

  in(row: Row): Row {
    return row.map((value) => (typeof value === 'string' ? this.#shared(value) : value));
  }

  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size < this.#textsMax) this.#texts.set(text, text);
    return text;
  }
}
