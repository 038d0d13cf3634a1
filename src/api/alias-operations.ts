/** The KMS API as data: aliases. One entry per operation (kms-api.md section 1). */
import { aliasName, keyId, limitTo100, marker } from './member-shapes.ts';
import { errors } from './operation-api.ts';
import { boolean, list, required } from './shape.ts';
import { aliasListEntry } from './structures.ts';
import type { OperationApiTable } from './operation-api.ts';

export const aliasOperations: OperationApiTable = {
  CreateAlias: {
    input: {
      AliasName: required(aliasName),
      TargetKeyId: required(keyId),
    },
    output: undefined,
    errors: errors('AlreadyExists', 'InvalidAliasName', 'KMSInvalidState', 'LimitExceeded', 'NotFound', 'DependencyTimeout'),
  },
  UpdateAlias: {
    input: {
      AliasName: required(aliasName),
      TargetKeyId: required(keyId),
    },
    output: undefined,
    errors: errors('KMSInvalidState', 'LimitExceeded', 'NotFound', 'DependencyTimeout'),
  },
  DeleteAlias: {
    input: {
      AliasName: required(aliasName),
    },
    output: undefined,
    errors: errors('KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
  ListAliases: {
    input: {
      KeyId: keyId,
      Limit: limitTo100,
      Marker: marker,
    },
    output: {
      Aliases: list(aliasListEntry),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('InvalidArn', 'InvalidMarker', 'NotFound', 'DependencyTimeout'),
  },
};
