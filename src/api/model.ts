/** All 56 operations of the KMS API in one table (model of @aws-sdk/client-kms 3.1164.0; a test compares it with the installed SDK). */
import { aliasOperations } from './alias-operations.ts';
import { customKeyStoreOperations } from './custom-key-store-operations.ts';
import { encryptionOperations } from './encryption-operations.ts';
import { grantOperations } from './grant-operations.ts';
import { keyOperations } from './key-operations.ts';
import { materialOperations } from './material-operations.ts';
import { policyAndTagOperations } from './policy-and-tag-operations.ts';
import { signatureOperations } from './signature-operations.ts';
import type { OperationApi } from './operation-api.ts';

/** Operations of the API by name. */
export const apiOperations: ReadonlyMap<string, OperationApi> = new Map(
  Object.entries({
    ...keyOperations,
    ...aliasOperations,
    ...encryptionOperations,
    ...signatureOperations,
    ...grantOperations,
    ...policyAndTagOperations,
    ...materialOperations,
    ...customKeyStoreOperations,
  }),
);
