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

interface Entry {
  readonly credential: Credential;
  readonly key: HmacSha256;
}

/** Signing keys by access key, day and Region; the oldest goes when the cache is full. */
export class SigningKeyCache {
  readonly #entries = new Map<string, Entry>();
  readonly #entriesMax: number;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** The signing key of a credential. A replaced credential (another object) never gets the key of its predecessor. */
  get(credential: Credential, scope: Scope): HmacSha256 {
    const name = `${credential.accessKeyId}/${scope.day}/${scope.region}/${scope.service}`;
    const known = this.#entries.get(name);
    if (known?.credential === credential) return known.key;
    const key = credential.secret.expose((secret) => deriveSigningKey(secret, scope));
    this.#drop(name);
    if (this.#entries.size >= this.#entriesMax) this.#drop(this.#entries.keys().next().value);
    this.#entries.set(name, { credential, key });
    return key;
  }

  #drop(name: string | undefined): void {
    if (name === undefined) return;
    this.#entries.get(name)?.key.wipe();
    this.#entries.delete(name);
  }
}
