/**
 * The SQL of records: each write names the version, fence or owner that it expects, and says when it found another. Statements
 * are prepared once. Knows nothing of transactions.
 */
import type { Database, Statement } from 'better-sqlite3';
import { prepared } from './kept-objects.ts';
import type { AliasRecord, KeyRecord } from '../../keys/key-record.ts';
import type { IntentRecord, ItemRecord } from '../store.ts';
import type { WriteStep } from '../write-step.ts';
import {
  aliasColumns,
  aliasToRow,
  intentColumns,
  intentToRow,
  itemColumns,
  itemToRow,
  keyColumns,
  keyToRow,
  materialColumns,
  materialToRow,
  rowToIntent,
  type Row,
} from './record-rows.ts';

/** A step found another version, fence or owner than it expects. */
export class StepConflict extends Error {
  override readonly name = 'StepConflict';
}

/** What a step answers, where it answers something. */
export interface StepResult {
  readonly uses?: number;
  readonly intents?: readonly IntentRecord[];
}

/** A question mark for each of `columns`. */
const marksOf = (columns: string): string => columns.replaceAll(/\w+/g, '?');

export class RecordStatements {
  readonly #insertKey: Statement;
  readonly #updateKey: Statement;
  readonly #deleteKey: Statement;
  readonly #insertMaterial: Statement;
  readonly #deleteMaterials: Statement;
  readonly #insertAlias: Statement;
  readonly #updateAlias: Statement;
  readonly #deleteAlias: Statement;
  readonly #insertItem: Statement;
  readonly #updateItem: Statement;
  readonly #deleteItem: Statement;
  readonly #putIntent: Statement;
  readonly #deleteIntent: Statement;
  readonly #takeOverIntents: Statement;
  readonly #addUses: Statement;
  readonly #putMark: Statement;
  readonly #deleteMark: Statement;

  constructor(database: Database) {
    const keyIs = 'partition = ? AND account = ? AND region = ? AND key_id = ? AND version = ?';
    const aliasIs = 'partition = ? AND account = ? AND region = ? AND alias_name = ? AND version = ?';
    this.#insertKey = prepared(
      database,
      `INSERT INTO kms_key (${keyColumns}) VALUES (${marksOf(keyColumns)})
       ON CONFLICT (partition, account, region, key_id) DO NOTHING RETURNING key_row`,
    );
    this.#updateKey = prepared(database, `UPDATE kms_key SET (${keyColumns}) = (${marksOf(keyColumns)}) WHERE ${keyIs} RETURNING key_row`);
    this.#deleteKey = prepared(database, `DELETE FROM kms_key WHERE ${keyIs}`);
    this.#insertMaterial = prepared(
      database,
      `INSERT INTO material (key_row, position, ${materialColumns}) VALUES (?, ?, ${marksOf(materialColumns)})`,
    );
    this.#deleteMaterials = prepared(database, 'DELETE FROM material WHERE key_row = ?');
    this.#insertAlias = prepared(
      database,
      `INSERT INTO alias (${aliasColumns}) VALUES (${marksOf(aliasColumns)})
       ON CONFLICT (partition, account, region, alias_name) DO NOTHING`,
    );
    this.#updateAlias = prepared(database, `UPDATE alias SET (${aliasColumns}) = (${marksOf(aliasColumns)}) WHERE ${aliasIs}`);
    this.#deleteAlias = prepared(database, `DELETE FROM alias WHERE ${aliasIs}`);
    this.#insertItem = prepared(
      database,
      `INSERT INTO item (${itemColumns}) VALUES (${marksOf(itemColumns)}) ON CONFLICT (kind, owner, name) DO NOTHING`,
    );
    this.#updateItem = prepared(
      database,
      `UPDATE item SET (${itemColumns}) = (${marksOf(itemColumns)}) WHERE kind = ? AND owner = ? AND name = ? AND version = ?`,
    );
    this.#deleteItem = prepared(database, 'DELETE FROM item WHERE kind = ? AND owner = ? AND name = ? AND version = ?');
    this.#putIntent = prepared(
      database,
      `INSERT INTO intent (${intentColumns}) VALUES (${marksOf(intentColumns)})
       ON CONFLICT (intent_id) DO UPDATE SET (${intentColumns}) = (${intentColumns.replaceAll(/\w+/g, 'excluded.$&')})
       WHERE owner = excluded.owner AND fence = excluded.fence`,
    );
    this.#deleteIntent = prepared(database, 'DELETE FROM intent WHERE intent_id = ? AND fence = ?');
    this.#takeOverIntents = prepared(
      database,
      `UPDATE intent SET owner = ?, fence = fence + 1, lease_until_ms = ? WHERE lease_until_ms < ? RETURNING ${intentColumns}`,
    );
    this.#addUses = prepared(
      database,
      `INSERT INTO material_use (material_id, uses) VALUES (?, ?)
       ON CONFLICT (material_id) DO UPDATE SET uses = uses + excluded.uses RETURNING uses`,
    );
    this.#putMark = prepared(
      database,
      'INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    );
    this.#deleteMark = prepared(database, 'DELETE FROM mark WHERE name = ?');
    this.#takeOverIntents.raw();
    for (const one of [this.#insertKey, this.#updateKey, this.#addUses]) one.pluck();
  }

  /** Carries out one step of a transaction. Throws StepConflict. */
  apply(step: WriteStep): StepResult {
    switch (step.kind) {
      case 'put-key':
        this.#putKey(step.record, step.replacesVersion);
        return {};
      case 'delete-key':
        return found(this.#deleteKey.run(...identityOf(step.record), step.record.version), `key ${step.record.keyId}`);
      case 'put-alias':
        return this.#putAlias(step.record, step.replacesVersion);
      case 'delete-alias':
        return found(this.#deleteAlias.run(...aliasIdentityOf(step.record), step.record.version), step.record.aliasName);
      case 'put-item':
        return this.#putItem(step.record, step.replacesVersion);
      case 'delete-item':
        return found(this.#deleteItem.run(...itemIdentityOf(step.record), step.record.version), `${step.record.kind} ${step.record.name}`);
      case 'put-intent':
        return found(this.#putIntent.run(...intentToRow(step.record)), `intent ${step.record.intentId}`);
      case 'delete-intent':
        return found(this.#deleteIntent.run(step.intentId, step.fence), `intent ${step.intentId}`);
      case 'take-over-intents':
        return { intents: (this.#takeOverIntents.all(step.owner, step.leaseUntilMs, step.nowMs) as Row[]).map(rowToIntent) };
      case 'add-uses':
        return { uses: this.#addUses.get(step.materialId, step.count) as number };
      case 'set-mark':
        this.#setMark(step.name, step.value);
    }
    return {};
  }

  #putKey(record: KeyRecord, replacesVersion: number): void {
    const row = keyToRow(record);
    const keyRow =
      replacesVersion === 0 ? this.#insertKey.get(...row) : this.#updateKey.get(...row, ...identityOf(record), replacesVersion);
    if (keyRow === undefined) throw new StepConflict(`key ${record.keyId} was changed by another writer`);
    this.#deleteMaterials.run(keyRow);
    record.materials.forEach((material, position) => this.#insertMaterial.run(keyRow, position, ...materialToRow(material)));
  }

  #setMark(name: string, value: string | undefined): void {
    if (value === undefined) this.#deleteMark.run(name);
    else this.#putMark.run(name, value);
  }

  #putAlias(record: AliasRecord, replacesVersion: number): StepResult {
    const row = aliasToRow(record);
    return found(
      replacesVersion === 0 ? this.#insertAlias.run(...row) : this.#updateAlias.run(...row, ...aliasIdentityOf(record), replacesVersion),
      record.aliasName,
    );
  }

  #putItem(record: ItemRecord, replacesVersion: number): StepResult {
    const row = itemToRow(record);
    return found(
      replacesVersion === 0 ? this.#insertItem.run(...row) : this.#updateItem.run(...row, ...itemIdentityOf(record), replacesVersion),
      `${record.kind} ${record.name}`,
    );
  }
}

function identityOf(record: KeyRecord): readonly string[] {
  return [record.partition, record.account, record.region, record.keyId];
}

function aliasIdentityOf(record: AliasRecord): readonly string[] {
  return [record.partition, record.account, record.region, record.aliasName];
}

function itemIdentityOf(record: ItemRecord): readonly string[] {
  return [record.kind, record.owner, record.name];
}

function found(result: { readonly changes: number }, what: string): StepResult {
  if (result.changes === 0) throw new StepConflict(`${what} was changed by another writer`);
  return {};
}
