/** A service whose every reply is held against the API tables: only members of the model, each of its type. */
import { apiOperations } from '../../src/api/model.ts';
import type { Members, Shape } from '../../src/api/shape.ts';
import type { Kms } from '../../src/kms.ts';

/** Members that this service adds to the model on purpose. */
const OWN_MEMBERS = new Set(
  ['KeyMetadata', 'ReplicaKeyMetadata'].flatMap((metadata) => [`${metadata}.ProtectionLevel`, `${metadata}.ImportedThroughSoftware`]),
);

/** `kms`, rejecting with TypeError instead of giving a reply that the model does not allow. */
export function checkedKms(kms: Kms): Kms {
  return {
    has: (operation) => kms.has(operation),
    perform: async (operation, input, caller, signal) => {
      const output = await kms.perform(operation, input, caller, signal);
      const members = apiOperations.get(operation)?.output;
      if ((members === undefined) !== (output === undefined))
        throw new TypeError(`${operation} has a reply where the model has none, or none`);
      if (members !== undefined) checkMembers(operation, output ?? {}, members);
      return output;
    },
  };
}

function checkMembers(path: string, value: object, members: Members): void {
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const memberPath = `${path}.${name}`;
    // The newest specs are no values of the deprecated member's type, and AWS KMS answers them there all the same.
    const shape = members[name === 'CustomerMasterKeySpec' ? 'KeySpec' : name];
    // The model's names have a character at least; AWS KMS answers an empty one for a grant without a name.
    if (name === 'Name' && member === '') continue;
    if (shape !== undefined) checkValue(memberPath, member, shape);
    else if (!OWN_MEMBERS.has(memberPath.replace(/^\w+\./, ''))) throw new TypeError(`the model has no ${memberPath}`);
  }
  for (const [name, shape] of Object.entries(members)) {
    if (shape.required === true && !(name in value)) throw new TypeError(`the model requires ${path}.${name}`);
  }
}

function checkValue(path: string, value: unknown, shape: Shape): void {
  if (!hasKind(value, shape)) throw new TypeError(`${path} is not a ${shape.kind} of the model`);
  if (shape.kind === 'list') for (const item of value as readonly unknown[]) checkValue(path, item, shape.member);
  if (shape.kind === 'structure') checkMembers(path, value as object, shape.members);
}

function hasKind(value: unknown, shape: Shape): boolean {
  switch (shape.kind) {
    case 'string':
      return typeof value === 'string' && value.length >= shape.lengthMin && value.length <= shape.lengthMax;
    case 'enum':
      return shape.values.includes(value as string);
    case 'blob':
      return value instanceof Uint8Array && value.length >= shape.lengthMin && value.length <= shape.lengthMax;
    case 'integer':
      return Number.isInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'timestamp':
      return value instanceof Date;
    case 'list':
      return Array.isArray(value);
    case 'map':
    case 'structure':
      break;
  }
  return typeof value === 'object' && value !== null;
}
