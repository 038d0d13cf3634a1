/** The KMS API as data: grants. One entry per operation (kms-api.md section 1). */
import { grantOperation } from './enumerations.ts';
import { grantId, grantName, grantToken, grantTokens, keyId, limitTo100, marker, principal, servicePrincipal } from './member-shapes.ts';
import { errors } from './operation-api.ts';
import { boolean, list, required } from './shape.ts';
import { grantConstraints, grantListEntry } from './structures.ts';
import type { OperationApiTable } from './operation-api.ts';

export const grantOperations: OperationApiTable = {
  CreateGrant: {
    input: {
      KeyId: required(keyId),
      GranteePrincipal: principal,
      RetiringPrincipal: principal,
      Operations: required(list(grantOperation)),
      Constraints: grantConstraints,
      GrantTokens: grantTokens,
      Name: grantName,
      DryRun: boolean,
      GranteeServicePrincipal: servicePrincipal,
      RetiringServicePrincipal: servicePrincipal,
    },
    output: {
      GrantToken: grantToken,
      GrantId: grantId,
    },
    errors: errors(
      'Disabled',
      'DryRunOperation',
      'InvalidArn',
      'InvalidGrantToken',
      'KMSInvalidState',
      'LimitExceeded',
      'NotFound',
      'DependencyTimeout',
    ),
  },
  ListGrants: {
    input: {
      Limit: limitTo100,
      Marker: marker,
      KeyId: required(keyId),
      GrantId: grantId,
      GranteePrincipal: principal,
      GranteeServicePrincipal: servicePrincipal,
    },
    output: {
      Grants: list(grantListEntry),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('InvalidArn', 'InvalidGrantId', 'InvalidMarker', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
  ListRetirableGrants: {
    input: {
      Limit: limitTo100,
      Marker: marker,
      RetiringPrincipal: principal,
      RetiringServicePrincipal: servicePrincipal,
    },
    output: {
      Grants: list(grantListEntry),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('InvalidArn', 'InvalidMarker', 'NotFound', 'DependencyTimeout'),
  },
  RetireGrant: {
    input: {
      GrantToken: grantToken,
      KeyId: keyId,
      GrantId: grantId,
      DryRun: boolean,
    },
    output: undefined,
    errors: errors(
      'DryRunOperation',
      'InvalidArn',
      'InvalidGrantId',
      'InvalidGrantToken',
      'KMSInvalidState',
      'NotFound',
      'DependencyTimeout',
    ),
  },
  RevokeGrant: {
    input: {
      KeyId: required(keyId),
      GrantId: required(grantId),
      DryRun: boolean,
    },
    output: undefined,
    errors: errors('DryRunOperation', 'InvalidArn', 'InvalidGrantId', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
};
