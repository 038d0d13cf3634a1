/** Signing keys of Signature Version 4: derived from the secret once per access key, day and Region, and kept in a bounded cache. */
import type { Credential } from '../../config/credentials.ts';
import { concatBytes } from '../../bytes.ts';
import { HmacSha256 } from './hmac-sha256.ts';

/** Day, Region and service that a signature is good for. */
export interface Scope {
  /** yyyymmdd */
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

/** Last element of every credential scope. */
export const SCOPE_TERMINATOR = 'aws4_request';

const PREFIX = new TextEncoder().encode('AWS4');

/** Derives a signing key: HMAC over day, Region, service and terminator in a chain that starts with "AWS4" + secret. */
export function deriveSigningKey(secret: Uint8Array, scope: Scope): HmacSha256 {
  let key: Uint8Array = concatBytes(PREFIX, secret);
  for (const part of [scope.day, scope.region, scope.service, SCOPE_TERMINATOR]) {
    const step = new HmacSha256(key);
    key.fill(0);
    key = step.mac(part);
    step.wipe();
  }
  const signingKey = new HmacSha256(key);
  key.fill(0);
  return signingKey;
}

interface ScopedKey {
  readonly scope: Scope;
  readonly key: HmacSha256;
}

/** Signing keys of each credential for the scopes it was last used in. They go when the credential goes. */
export class SigningKeyCache {
  readonly #byCredential = new WeakMap<Credential, ScopedKey[]>();
  readonly #keysPerCredentialMax: number;

  constructor(keysPerCredentialMax: number) {
    this.#keysPerCredentialMax = keysPerCredentialMax;
  }

  /** The signing key of a credential. A replaced credential (another object) never gets the key of its predecessor. */
  get(credential: Credential, scope: Scope): HmacSha256 {
    const keys = this.#byCredential.get(credential) ?? [];
    for (const known of keys) if (sameScope(known.scope, scope)) return known.key;
    const key = credential.secret.expose((secret) => deriveSigningKey(secret, scope));
    if (keys.length >= this.#keysPerCredentialMax) keys.shift()?.key.wipe();
    keys.push({ scope, key });
    this.#byCredential.set(credential, keys);
    return key;
  }
}

function sameScope(a: Scope, b: Scope): boolean {
  return a.day === b.day && a.region === b.region && a.service === b.service;
}
