/** The members of CreateCustomKeyStore and UpdateCustomKeyStore: which belong to which type and connectivity (kms-api.md 6.1). */
import { invalid } from '../../api/violations.ts';
import type { CustomKeyStoreRecord, ProxyConnection } from '../../keys/custom-key-store-record.ts';

export interface ConnectionMembers {
  readonly CloudHsmClusterId?: string;
  readonly KeyStorePassword?: string;
  readonly XksProxyUriEndpoint?: string;
  readonly XksProxyUriPath?: string;
  readonly XksProxyVpcEndpointServiceName?: string;
  readonly XksProxyVpcEndpointServiceOwner?: string;
  readonly XksProxyAuthenticationCredential?: { readonly AccessKeyId: string };
  readonly XksProxyConnectivity?: ProxyConnection['connectivity'];
}

export interface CreateCustomKeyStoreInput extends ConnectionMembers {
  readonly CustomKeyStoreName: string;
  readonly CustomKeyStoreType?: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE';
  readonly TrustAnchorCertificate?: string;
}

export interface UpdateCustomKeyStoreInput extends ConnectionMembers {
  readonly CustomKeyStoreId: string;
  readonly NewCustomKeyStoreName?: string;
}

/** Members of a new key store of type AWS_CLOUDHSM, all of them there. */
export type ClusterInput = CreateCustomKeyStoreInput &
  Required<Pick<CreateCustomKeyStoreInput, 'CloudHsmClusterId' | 'KeyStorePassword' | 'TrustAnchorCertificate'>>;
/** Members of a new key store of type EXTERNAL_KEY_STORE, all of them there. */
export type ProxyInput = CreateCustomKeyStoreInput &
  Required<
    Pick<CreateCustomKeyStoreInput, 'XksProxyUriEndpoint' | 'XksProxyUriPath' | 'XksProxyAuthenticationCredential' | 'XksProxyConnectivity'>
  >;

const CLUSTER_MEMBERS = ['CloudHsmClusterId', 'TrustAnchorCertificate', 'KeyStorePassword'];
const PROXY_MEMBERS = ['XksProxyUriEndpoint', 'XksProxyUriPath', 'XksProxyAuthenticationCredential', 'XksProxyConnectivity'];
const VPC_MEMBERS = ['XksProxyVpcEndpointServiceName', 'XksProxyVpcEndpointServiceOwner'];

/** Throws KmsError ValidationException for a member that is missing, or is of another type or connectivity. */
export function validateCreateCustomKeyStore(input: CreateCustomKeyStoreInput): void {
  if (isProxyInput(input)) {
    requireMembers(input, PROXY_MEMBERS, 'a custom key store of type EXTERNAL_KEY_STORE');
    refuseMembers(input, CLUSTER_MEMBERS, 'a custom key store of type EXTERNAL_KEY_STORE');
    validateVpcMembers(input, input.XksProxyConnectivity);
  } else {
    requireMembers(input, CLUSTER_MEMBERS, 'a custom key store of type AWS_CLOUDHSM');
    refuseMembers(input, [...PROXY_MEMBERS, ...VPC_MEMBERS], 'a custom key store of type AWS_CLOUDHSM');
  }
}

/** By the type that the request names. Members are there once `validateCreateCustomKeyStore` has passed. */
export function isProxyInput(input: CreateCustomKeyStoreInput): input is ProxyInput {
  return input.CustomKeyStoreType === 'EXTERNAL_KEY_STORE';
}

/** Throws KmsError ValidationException for a member that is not of the type of `record`. */
export function checkMembersOfType(input: UpdateCustomKeyStoreInput, record: CustomKeyStoreRecord): void {
  if (record.proxy === undefined) refuseMembers(input, [...PROXY_MEMBERS, ...VPC_MEMBERS], 'a custom key store of type AWS_CLOUDHSM');
  else refuseMembers(input, CLUSTER_MEMBERS, 'a custom key store of type EXTERNAL_KEY_STORE');
}

/**
 * The proxy as the members of an update leave it. Throws KmsError ValidationException for members that do not go together: another
 * connectivity needs another endpoint, and VPC_ENDPOINT_SERVICE the name of its service.
 */
export function updatedProxy(proxy: ProxyConnection, input: UpdateCustomKeyStoreInput): ProxyConnection {
  const connectivity = input.XksProxyConnectivity ?? proxy.connectivity;
  if (connectivity !== proxy.connectivity) requireMembers(input, ['XksProxyUriEndpoint'], `a change to ${connectivity}`);
  const vpcEndpointServiceName = input.XksProxyVpcEndpointServiceName ?? proxy.vpcEndpointServiceName;
  const vpcEndpointServiceOwner = input.XksProxyVpcEndpointServiceOwner ?? proxy.vpcEndpointServiceOwner;
  const isVpc = connectivity === 'VPC_ENDPOINT_SERVICE';
  if (!isVpc || vpcEndpointServiceName === undefined) validateVpcMembers(input, connectivity);
  return {
    connectivity,
    uriEndpoint: input.XksProxyUriEndpoint ?? proxy.uriEndpoint,
    uriPath: input.XksProxyUriPath ?? proxy.uriPath,
    accessKeyId: input.XksProxyAuthenticationCredential?.AccessKeyId ?? proxy.accessKeyId,
    ...(isVpc && vpcEndpointServiceName !== undefined && { vpcEndpointServiceName }),
    ...(isVpc && vpcEndpointServiceOwner !== undefined && { vpcEndpointServiceOwner }),
  };
}

function validateVpcMembers(input: object, connectivity: ProxyConnection['connectivity']): void {
  if (connectivity === 'VPC_ENDPOINT_SERVICE') requireMembers(input, ['XksProxyVpcEndpointServiceName'], 'VPC_ENDPOINT_SERVICE');
  else refuseMembers(input, VPC_MEMBERS, 'PUBLIC_ENDPOINT');
}

function requireMembers(input: object, members: readonly string[], what: string): void {
  const missing = members.filter((member) => !(member in input));
  if (missing.length > 0) throw invalid(`${missing.join(', ')} must be specified for ${what}.`);
}

function refuseMembers(input: object, members: readonly string[], what: string): void {
  const refused = members.filter((member) => member in input);
  if (refused.length > 0) throw invalid(`${refused.join(', ')} cannot be specified for ${what}.`);
}
