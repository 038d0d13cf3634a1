/** The health check of a proxy with a public endpoint, which comes before such a key store is made or changed (kms-api.md 6.1). */
import { KmsError } from '../../errors.ts';
import type { ProxyConnection } from '../../keys/custom-key-store-record.ts';

/** The outcome of every check: this service has no client for external key store proxies, so it reaches none. */
export function proxyUnreachable({ uriEndpoint }: ProxyConnection): KmsError {
  return new KmsError(
    'XksProxyUriUnreachableException',
    `This service cannot reach ${uriEndpoint}: it has no client for external key store proxies.`,
  );
}
