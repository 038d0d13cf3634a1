/** The KMS API as data: key policies and tags. One entry per operation (kms-api.md section 1). */
import { keyId, limitTo1000, limitTo50, marker, policy, policyName, tagKey } from './member-shapes.ts';
import { errors } from './operation-api.ts';
import { boolean, list, required } from './shape.ts';
import { tag } from './structures.ts';
import type { OperationApiTable } from './operation-api.ts';

export const policyAndTagOperations: OperationApiTable = {
  GetKeyPolicy: {
    input: {
      KeyId: required(keyId),
      PolicyName: policyName,
    },
    output: {
      Policy: policy,
      PolicyName: policyName,
    },
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
  ListKeyPolicies: {
    input: {
      KeyId: required(keyId),
      Limit: limitTo1000,
      Marker: marker,
    },
    output: {
      PolicyNames: list(policyName),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
  PutKeyPolicy: {
    input: {
      KeyId: required(keyId),
      PolicyName: policyName,
      Policy: required(policy),
      BypassPolicyLockoutSafetyCheck: boolean,
    },
    output: undefined,
    errors: errors(
      'InvalidArn',
      'KMSInvalidState',
      'LimitExceeded',
      'MalformedPolicyDocument',
      'NotFound',
      'UnsupportedOperation',
      'DependencyTimeout',
    ),
  },
  TagResource: {
    input: {
      KeyId: required(keyId),
      Tags: required(list(tag)),
    },
    output: undefined,
    errors: errors('InvalidArn', 'KMSInvalidState', 'LimitExceeded', 'NotFound', 'Tag'),
  },
  UntagResource: {
    input: {
      KeyId: required(keyId),
      TagKeys: required(list(tagKey)),
    },
    output: undefined,
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'Tag'),
  },
  ListResourceTags: {
    input: {
      KeyId: required(keyId),
      Limit: limitTo50,
      Marker: marker,
    },
    output: {
      Tags: list(tag),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('InvalidArn', 'InvalidMarker', 'NotFound'),
  },
};
