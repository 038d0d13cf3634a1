/** What is remembered of a custom key store: its kind, what it is connected to, and how that connection stands (kms-api.md section 6). */

/** ConnectionStateType of the API. */
export type ConnectionState = 'CONNECTED' | 'CONNECTING' | 'FAILED' | 'DISCONNECTED' | 'DISCONNECTING';

/** Those of ConnectionErrorCodeType that this service comes to. */
export type ConnectionErrorCode =
  | 'CLUSTER_NOT_FOUND'
  | 'INSUFFICIENT_CLOUDHSM_HSMS'
  | 'INTERNAL_ERROR'
  | 'INVALID_CREDENTIALS'
  | 'NETWORK_ERRORS'
  | 'XKS_PROXY_NOT_REACHABLE';

export interface Connection {
  readonly state: ConnectionState;
  /** Only in state FAILED. */
  readonly errorCode?: ConnectionErrorCode;
}

/** From which a password can be checked, and not be read: hex digits of a salt, and of scrypt over password and salt. */
export interface PasswordVerifier {
  readonly salt: string;
  readonly hash: string;
}

/** A cluster, which the configuration of the service maps to one of its key stores. */
export interface ClusterConnection {
  readonly clusterId: string;
  /** Name of the key store that the configuration had for the cluster: it holds the keys. */
  readonly keyStore: string;
  readonly trustAnchorCertificate: string;
  readonly password: PasswordVerifier;
}

/** A proxy of an external key manager. Its secret access key is not kept: nothing here signs with it. */
export interface ProxyConnection {
  readonly connectivity: 'PUBLIC_ENDPOINT' | 'VPC_ENDPOINT_SERVICE';
  readonly uriEndpoint: string;
  readonly uriPath: string;
  readonly accessKeyId: string;
  /** Name and owner only with connectivity VPC_ENDPOINT_SERVICE. */
  readonly vpcEndpointServiceName?: string;
  readonly vpcEndpointServiceOwner?: string;
}

/** A custom key store of one account and Region. */
export interface CustomKeyStoreRecord {
  /** `cks-` and 17 hex digits. */
  readonly customKeyStoreId: string;
  /** Rises with every change. */
  readonly version: number;
  readonly name: string;
  readonly createdAtMs: number;
  readonly connection: Connection;
  /** Of type AWS_CLOUDHSM: this; of type EXTERNAL_KEY_STORE: `proxy`. */
  readonly cluster?: ClusterConnection;
  readonly proxy?: ProxyConnection;
}
