/** The simple members of the KMS API with their lengths and patterns (AWS KMS model, service-2.json). */
import { blob, integer, list, sensitive, string } from './shape.ts';
import type { BlobShape, IntegerShape, ListShape, StringShape } from './shape.ts';

const GRANT_TOKENS_MAX = 10;

export const accountId: StringShape = string(12, 12, '[0-9]{12}');
export const aliasName: StringShape = string(1, 256, '^[a-zA-Z0-9:/_-]+$');
export const arn: StringShape = string(20, 2048);
export const cloudHsmClusterId: StringShape = string(19, 24, 'cluster-[2-7a-zA-Z]{11,16}');
export const customKeyStoreId: StringShape = string(1, 64);
export const customKeyStoreName: StringShape = string(1, 256);
export const description: StringShape = string(0, 8192);
export const freeText: StringShape = string(0, Number.POSITIVE_INFINITY);
export const grantId: StringShape = string(1, 128);
export const grantName: StringShape = string(1, 256, '^[a-zA-Z0-9:/_-]+$');
export const grantSourceArn: StringShape = string(20, 512, '^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$');
export const grantToken: StringShape = string(1, 8192);
export const grantTokens: ListShape = list(grantToken, GRANT_TOKENS_MAX);
/** Key id, key ARN, alias name or alias ARN; the operation decides which of them it takes. */
export const keyId: StringShape = string(1, 2048);
export const keyMaterialDescription: StringShape = string(0, 256, '^[a-zA-Z0-9:/_\\s.-]+$');
export const keyMaterialId: StringShape = string(64, 64, '^[a-f0-9]+$');
export const keyStorePassword: StringShape = sensitive(string(7, 32));
export const marker: StringShape = string(1, 1024, '[\\u0020-\\u00FF]*');
export const policy: StringShape = string(1, 131_072, '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+');
export const policyName: StringShape = string(1, 128, '[\\w]+');
export const principal: StringShape = string(1, 256, '^[\\w+=,.@:/-]+$');
export const region: StringShape = string(1, 32, '^([a-z]+-){2,3}\\d+$');
export const servicePrincipal: StringShape = string(1, 128, '^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$');
export const tagKey: StringShape = string(1, 128);
export const tagValue: StringShape = string(0, 256);
export const trustAnchorCertificate: StringShape = string(1, 5000);
export const xksKeyId: StringShape = string(1, 128, '^[a-zA-Z0-9-_.]+$');
export const xksProxyAccessKeyId: StringShape = sensitive(string(20, 30, '^[A-Z2-7]+$'));
export const xksProxySecret: StringShape = sensitive(string(43, 64, '^[a-zA-Z0-9\\/+=]+$'));
export const xksProxyUriEndpoint: StringShape = string(10, 128, '^https://[a-zA-Z0-9.-]+$');
export const xksProxyUriPath: StringShape = string(10, 128, '^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$');
export const xksVpcServiceName: StringShape = string(20, 64, '^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$');

export const attestationDocument: BlobShape = blob(1, 262_144);
export const ciphertext: BlobShape = blob(1, 6144);
export const plaintext: BlobShape = sensitive(blob(1, 4096));
export const publicKey: BlobShape = blob(1, 8192);
/** The model counts it among the sensitive values, public as it is. */
export const wrappingPublicKey: BlobShape = sensitive(blob(1, 4096));

/** Page sizes; the largest page differs by operation (kms-api.md 5.6). */
export const limitTo50: IntegerShape = integer(1, 50);
export const limitTo100: IntegerShape = integer(1, 100);
export const limitTo1000: IntegerShape = integer(1, 1000);
export const numberOfBytes: IntegerShape = integer(1, 1024);
/** The model's range; the service itself takes 7 to 30 (kms-api.md 1.3). */
export const pendingWindowInDays: IntegerShape = integer(1, 365);
export const rotationPeriodInDays: IntegerShape = integer(90, 2560);
