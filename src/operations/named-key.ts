/** The usual ways in which operations name their key: see `KeyReference`. */
import type { KeyReference } from './operation.ts';

/** `KeyId` of management operations: key id or key ARN of the caller's own account. */
export const managedKey: readonly KeyReference<'key'>[] = [{ member: 'KeyId', as: 'key', aliasAllowed: false, crossAccount: false }];

/** `KeyId` of operations that use a key: aliases too, and keys of other accounts where policies permit. */
export const usedKey: readonly KeyReference<'key'>[] = [{ member: 'KeyId', as: 'key', aliasAllowed: true, crossAccount: true }];

/** `KeyId` of operations on grants: no aliases, and keys of other accounts where policies permit. */
export const permittedKey: readonly KeyReference<'key'>[] = [{ member: 'KeyId', as: 'key', aliasAllowed: false, crossAccount: true }];
