/** The KMS API as data: custom key stores. One entry per operation (kms-api.md section 1). */
import { customKeyStoreType, xksProxyConnectivity } from './enumerations.ts';
import {
  accountId,
  cloudHsmClusterId,
  customKeyStoreId,
  customKeyStoreName,
  keyStorePassword,
  limitTo1000,
  marker,
  trustAnchorCertificate,
  xksProxyUriEndpoint,
  xksProxyUriPath,
  xksVpcServiceName,
} from './member-shapes.ts';
import { errors } from './operation-api.ts';
import { boolean, list, required } from './shape.ts';
import { customKeyStoresListEntry, xksProxyCredential } from './structures.ts';
import type { OperationApiTable } from './operation-api.ts';

export const customKeyStoreOperations: OperationApiTable = {
  CreateCustomKeyStore: {
    input: {
      CustomKeyStoreName: required(customKeyStoreName),
      CloudHsmClusterId: cloudHsmClusterId,
      TrustAnchorCertificate: trustAnchorCertificate,
      KeyStorePassword: keyStorePassword,
      CustomKeyStoreType: customKeyStoreType,
      XksProxyUriEndpoint: xksProxyUriEndpoint,
      XksProxyUriPath: xksProxyUriPath,
      XksProxyVpcEndpointServiceName: xksVpcServiceName,
      XksProxyVpcEndpointServiceOwner: accountId,
      XksProxyAuthenticationCredential: xksProxyCredential,
      XksProxyConnectivity: xksProxyConnectivity,
    },
    output: {
      CustomKeyStoreId: customKeyStoreId,
    },
    errors: errors(
      'CloudHsmClusterInUse',
      'CloudHsmClusterInvalidConfiguration',
      'CloudHsmClusterNotActive',
      'CloudHsmClusterNotFound',
      'CustomKeyStoreNameInUse',
      'IncorrectTrustAnchor',
      'LimitExceeded',
      'XksProxyIncorrectAuthenticationCredential',
      'XksProxyInvalidConfiguration',
      'XksProxyInvalidResponse',
      'XksProxyUriEndpointInUse',
      'XksProxyUriInUse',
      'XksProxyUriUnreachable',
      'XksProxyVpcEndpointServiceInUse',
      'XksProxyVpcEndpointServiceInvalidConfiguration',
      'XksProxyVpcEndpointServiceNotFound',
    ),
  },
  ConnectCustomKeyStore: {
    input: {
      CustomKeyStoreId: required(customKeyStoreId),
    },
    output: {},
    errors: errors(
      'CloudHsmClusterInvalidConfiguration',
      'CloudHsmClusterNotActive',
      'CustomKeyStoreInvalidState',
      'CustomKeyStoreNotFound',
    ),
  },
  DisconnectCustomKeyStore: {
    input: {
      CustomKeyStoreId: required(customKeyStoreId),
    },
    output: {},
    errors: errors('CustomKeyStoreInvalidState', 'CustomKeyStoreNotFound'),
  },
  UpdateCustomKeyStore: {
    input: {
      CustomKeyStoreId: required(customKeyStoreId),
      NewCustomKeyStoreName: customKeyStoreName,
      KeyStorePassword: keyStorePassword,
      CloudHsmClusterId: cloudHsmClusterId,
      XksProxyUriEndpoint: xksProxyUriEndpoint,
      XksProxyUriPath: xksProxyUriPath,
      XksProxyVpcEndpointServiceName: xksVpcServiceName,
      XksProxyVpcEndpointServiceOwner: accountId,
      XksProxyAuthenticationCredential: xksProxyCredential,
      XksProxyConnectivity: xksProxyConnectivity,
    },
    output: {},
    errors: errors(
      'CloudHsmClusterInvalidConfiguration',
      'CloudHsmClusterNotActive',
      'CloudHsmClusterNotFound',
      'CloudHsmClusterNotRelated',
      'CustomKeyStoreInvalidState',
      'CustomKeyStoreNameInUse',
      'CustomKeyStoreNotFound',
      'XksProxyIncorrectAuthenticationCredential',
      'XksProxyInvalidConfiguration',
      'XksProxyInvalidResponse',
      'XksProxyUriEndpointInUse',
      'XksProxyUriInUse',
      'XksProxyUriUnreachable',
      'XksProxyVpcEndpointServiceInUse',
      'XksProxyVpcEndpointServiceInvalidConfiguration',
      'XksProxyVpcEndpointServiceNotFound',
    ),
  },
  DescribeCustomKeyStores: {
    input: {
      CustomKeyStoreId: customKeyStoreId,
      CustomKeyStoreName: customKeyStoreName,
      Limit: limitTo1000,
      Marker: marker,
    },
    output: {
      CustomKeyStores: list(customKeyStoresListEntry),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('CustomKeyStoreNotFound', 'InvalidMarker'),
  },
  DeleteCustomKeyStore: {
    input: {
      CustomKeyStoreId: required(customKeyStoreId),
    },
    output: {},
    errors: errors('CustomKeyStoreHasCMKs', 'CustomKeyStoreInvalidState', 'CustomKeyStoreNotFound'),
  },
};
