/**
 * The form in which a change enters a store: checked, copied and frozen, so that the snapshot and the disk hold the same and
 * nobody can alter a record after it was committed. Knows no backend.
 */
import type { AliasRecord, KeyRecord, MaterialRecord, TagRecord } from '../keys/key-record.ts';
import type { IntentRecord, ItemRecord, JsonValue, Scope } from './store.ts';
import type { WriteStep } from './write-step.ts';

/** A frozen copy of `step`. Throws RangeError for what no store can hold. */
export function checkedStep(step: WriteStep): WriteStep {
  switch (step.kind) {
    case 'put-key':
      checkVersion(step.record.version, step.replacesVersion);
      return { ...step, record: frozenKey(step.record) };
    case 'delete-key':
      return { ...step, record: frozenKey(step.record) };
    case 'put-alias':
      checkVersion(step.record.version, step.replacesVersion);
      return { ...step, record: frozenAlias(step.record) };
    case 'delete-alias':
      return { ...step, record: frozenAlias(step.record) };
    case 'put-item':
      checkVersion(step.record.version, step.replacesVersion);
      return { ...step, record: frozenItem(step.record) };
    case 'delete-item':
      return { ...step, record: frozenItem(step.record) };
    case 'put-intent':
      return { ...step, record: frozenIntent(step.record) };
    case 'add-uses':
      if (!Number.isSafeInteger(step.count) || step.count < 1) throw new RangeError(`a use count is a positive integer, not ${step.count}`);
      return step;
    case 'set-mark':
      checkText(step.name, step.value ?? '');
      return step;
    case 'delete-intent':
    case 'take-over-intents':
      break;
  }
  return step;
}

function frozenKey(record: KeyRecord): KeyRecord {
  checkScope(record);
  checkText(record.keyId, record.description, record.policy, ...record.tags.flatMap((tag) => [tag.key, tag.value]));
  return Object.freeze({
    ...record,
    tags: Object.freeze(record.tags.map((tag): TagRecord => Object.freeze({ ...tag }))),
    materials: Object.freeze(record.materials.map(frozenMaterial)),
    ...(record.rotationSchedule && { rotationSchedule: Object.freeze({ ...record.rotationSchedule }) }),
  });
}

function frozenMaterial(material: MaterialRecord): MaterialRecord {
  return Object.freeze({
    ...material,
    ...(material.publicKey && { publicKey: new Uint8Array(material.publicKey) }),
    reference: new Uint8Array(material.reference),
    fingerprint: new Uint8Array(material.fingerprint),
    ...(material.rotation && { rotation: Object.freeze({ ...material.rotation }) }),
    ...(material.import && { import: Object.freeze({ ...material.import }) }),
  });
}

function frozenAlias(record: AliasRecord): AliasRecord {
  checkScope(record);
  checkText(record.aliasName, record.targetKeyId);
  return Object.freeze({ ...record });
}

function frozenItem(record: ItemRecord): ItemRecord {
  checkText(record.kind, record.owner, record.name);
  return Object.freeze({ ...record, value: frozenJson(record.value) });
}

/** A frozen copy of JSON. Throws RangeError for anything else. */
export function frozenJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    checkText(value);
    return value;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenJson));
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([member, part]) => [member, frozenJson(part)])));
  }
  throw new RangeError(`a store keeps JSON in items, not a value of type ${typeof value}`);
}

/** A frozen copy of an intent. */
export function frozenIntent(record: IntentRecord): IntentRecord {
  const { partition, account, region } = record.scope;
  return Object.freeze({
    ...record,
    scope: Object.freeze({ partition, account, region }),
    objectId: new Uint8Array(record.objectId),
  });
}

function checkVersion(version: number, replacesVersion: number): void {
  if (!Number.isSafeInteger(version) || !Number.isSafeInteger(replacesVersion) || replacesVersion < 0 || version <= replacesVersion) {
    throw new RangeError(`a record's version rises: ${version} cannot replace ${replacesVersion}`);
  }
}

/** The parts of an ARN hold no colon, which lets the snapshot join them with one. */
function checkScope(scope: Scope): void {
  for (const part of [scope.partition, scope.account, scope.region]) {
    if (part === '' || part.includes(':')) throw new RangeError(`'${part}' cannot be a part of an ARN`);
  }
}

/** A lone surrogate has no UTF-8 form: the disk would hold another text than the snapshot. */
function checkText(...texts: readonly string[]): void {
  for (const text of texts) {
    if (/\p{Surrogate}/u.test(text)) throw new RangeError('a text with a lone surrogate cannot be stored');
  }
}
