/**
 * Records as database rows and back. The tables of members and columns are complete by type: a member added to a record does not
 * compile until it has a column here (and a migration).
 */
import type { AliasRecord, KeyRecord, MaterialRecord } from '../../keys/key-record.ts';
import { frozenIntent, frozenJson } from '../checked-step.ts';
import type { IntentRecord, ItemRecord } from '../store.ts';

/** A value as SQLite holds it. */
export type ColumnValue = string | number | Uint8Array | null;
export type Row = readonly ColumnValue[];
type ColumnOf<Member extends PropertyKey> = Readonly<Record<Member, string>>;

const keyColumnOf: ColumnOf<Exclude<keyof KeyRecord, 'materials'>> = {
  partition: 'partition',
  account: 'account',
  region: 'region',
  keyId: 'key_id',
  version: 'version',
  description: 'description',
  keySpec: 'key_spec',
  keyUsage: 'key_usage',
  origin: 'origin',
  keyManager: 'key_manager',
  state: 'state',
  createdAtMs: 'created_at_ms',
  deletionAtMs: 'deletion_at_ms',
  pendingWindowDays: 'pending_window_days',
  deletionRunningMsLeft: 'deletion_running_ms_left',
  multiRegion: 'multi_region',
  primaryRegion: 'primary_region',
  policy: 'policy',
  tags: 'tags',
  currentMaterialId: 'current_material_id',
  rotationSchedule: 'rotation_schedule',
  customKeyStoreId: 'custom_key_store_id',
  xksKeyId: 'xks_key_id',
};

const materialColumnOf: ColumnOf<keyof MaterialRecord> = {
  materialId: 'material_id',
  keyStore: 'key_store',
  protection: 'protection',
  residency: 'residency',
  custody: 'custody',
  suite: 'suite',
  publicKey: 'public_key',
  reference: 'reference',
  fingerprint: 'fingerprint',
  createdAtMs: 'created_at_ms',
  rotation: 'rotation',
  pending: 'pending',
  import: 'import',
  adopted: 'adopted',
};

const aliasColumnOf: ColumnOf<keyof AliasRecord> = {
  partition: 'partition',
  account: 'account',
  region: 'region',
  aliasName: 'alias_name',
  targetKeyId: 'target_key_id',
  createdAtMs: 'created_at_ms',
  updatedAtMs: 'updated_at_ms',
  version: 'version',
};

const itemColumnOf: ColumnOf<keyof ItemRecord> = { kind: 'kind', owner: 'owner', name: 'name', version: 'version', value: 'value' };

/** Members that are kept as JSON. */
const jsonMembers: ReadonlySet<string> = new Set<keyof KeyRecord | keyof MaterialRecord | keyof ItemRecord>([
  'tags',
  'rotationSchedule',
  'rotation',
  'import',
  'adopted',
  'value',
]);

const intentColumnOf: ColumnOf<Exclude<keyof IntentRecord, 'scope'> | keyof IntentRecord['scope']> = {
  intentId: 'intent_id',
  kind: 'kind',
  keyStore: 'key_store',
  partition: 'partition',
  account: 'account',
  region: 'region',
  keyId: 'key_id',
  objectId: 'object_id',
  owner: 'owner',
  fence: 'fence',
  leaseUntilMs: 'lease_until_ms',
};

/** Columns of table kms_key without its row number, in the order of a row, as SQL names them. */
export const keyColumns: string = Object.values(keyColumnOf).join(', ');
/** Columns of table material without the row number of its key and its position. */
export const materialColumns: string = Object.values(materialColumnOf).join(', ');
export const aliasColumns: string = Object.values(aliasColumnOf).join(', ');
export const itemColumns: string = Object.values(itemColumnOf).join(', ');
export const intentColumns: string = Object.values(intentColumnOf).join(', ');

export function keyToRow(record: KeyRecord): Row {
  return toRow(keyColumnOf, { ...record, multiRegion: record.multiRegion ? 1 : 0 });
}

export function materialToRow(material: MaterialRecord): Row {
  return toRow(materialColumnOf, material);
}

export function aliasToRow(record: AliasRecord): Row {
  return toRow(aliasColumnOf, record);
}

export function itemToRow(record: ItemRecord): Row {
  return toRow(itemColumnOf, record);
}

export function intentToRow(record: IntentRecord): Row {
  return toRow(intentColumnOf, { ...record, ...record.scope });
}

/** Gives one copy for equal texts, so that a text that many records repeat is kept once. */
export type ShareText = (text: string) => string;

/** Members whose texts many records repeat. */
const repeatedMembers: ReadonlySet<string> = new Set<keyof KeyRecord | keyof MaterialRecord | keyof ItemRecord>([
  'partition',
  'account',
  'region',
  'keySpec',
  'keyUsage',
  'origin',
  'keyManager',
  'state',
  'policy',
  'materialId',
  'keyStore',
  'protection',
  'residency',
  'custody',
  'suite',
  'kind',
  'owner',
]);

/** The key of a row and of the rows of its materials. Frozen. */
export function rowToKey(row: Row, materials: readonly Row[], share: ShareText): KeyRecord {
  const record: Record<string, unknown> = fromRow(keyColumnOf, row, share);
  record['multiRegion'] = record['multiRegion'] === 1;
  // One copy of the id that key and material have in common.
  const shareWithKey: ShareText = (text) => (text === record['currentMaterialId'] ? record['currentMaterialId'] : share(text));
  record['materials'] = Object.freeze(materials.map((material) => Object.freeze(fromRow(materialColumnOf, material, shareWithKey))));
  return Object.freeze(record) as unknown as KeyRecord;
}

export function rowToAlias(row: Row, share: ShareText): AliasRecord {
  return Object.freeze(fromRow(aliasColumnOf, row, share)) as unknown as AliasRecord;
}

export function rowToItem(row: Row, share: ShareText): ItemRecord {
  return Object.freeze(fromRow(itemColumnOf, row, share)) as unknown as ItemRecord;
}

export function rowToIntent(row: Row): IntentRecord {
  const { partition, account, region, ...rest } = fromRow(intentColumnOf, row, (text) => text);
  return frozenIntent({ ...rest, scope: { partition, account, region } } as unknown as IntentRecord);
}

function toRow<Member extends string>(columnOf: ColumnOf<Member>, record: { readonly [M in Member]?: unknown }): Row {
  return (Object.keys(columnOf) as Member[]).map((member) => {
    const value = record[member];
    if (value === undefined) return null;
    return jsonMembers.has(member) ? JSON.stringify(value) : (value as ColumnValue);
  });
}

/**
 * Members whose column is NULL are left out, as optional members of a record are. Assigned one by one: V8 gives a frozen object
 * that was made by spreading three times the memory.
 */
function fromRow(columnOf: ColumnOf<string>, row: Row, share: ShareText): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  let index = 0;
  for (const member in columnOf) {
    const value = row[index++];
    if (value === null || value === undefined) continue;
    if (typeof value === 'string' && jsonMembers.has(member)) record[member] = frozenJson(JSON.parse(value));
    else record[member] = typeof value === 'string' && repeatedMembers.has(member) ? share(value) : value;
  }
  return record;
}
