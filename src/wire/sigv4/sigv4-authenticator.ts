/**
 * Callers known by AWS Signature Version 4 (IAM User Guide): the request must be current, scoped to this service and a Region
 * served here, and signed over everything that decides, by a known access key. A refusal costs as much for an unknown key as for a wrong one.
 */
import { hash, randomBytes } from 'node:crypto';
import { equalConstantTime } from '../../bytes.ts';
import type { Clock } from '../../clock.ts';
import type { Credential, CredentialSource } from '../../config/credentials.ts';
import { KmsError } from '../../errors.ts';
import type { Caller } from '../../kms.ts';
import { type Authenticator, type UnverifiedRequest, callerOf } from '../authenticator.ts';
import { isRegionName, partitionOf } from '../../keys/partition.ts';
import type { RequestHead } from '../request-head.ts';
import type { Authorization } from './authorization-header.ts';
import { KnownAuthorizations } from './known-authorizations.ts';
import { type RequestTime, parseRequestTime, requireCurrent } from './request-time.ts';
import { SCOPE_TERMINATOR, type Scope, SigningKeyCache, deriveSigningKey } from './signing-keys.ts';
import { canonicalRequest, stringToSign } from './string-to-sign.ts';

const SERVICE = 'kms';
/** Two days in as many Regions as anyone uses. */
const SIGNING_KEYS_PER_CREDENTIAL_MAX = 64;

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. ' +
  'Consult the service documentation for details.';

const QUERY_SIGNATURE = 'Missing Authentication Token. A signature in the query string is not accepted: sign in the Authorization header.';

/** What an authenticator by signature needs. */
export interface SigV4Parts {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  /** Regions served; undefined serves every well-formed Region name. */
  readonly regions?: ReadonlySet<string>;
}

/** An authenticator that verifies Signature Version 4 in the Authorization header. Signatures in the query are refused. */
export function sigv4Authenticator(parts: SigV4Parts): Authenticator {
  return new SigV4Authenticator(parts);
}

class SigV4Authenticator implements Authenticator {
  readonly loopbackOnly = false;
  readonly #parts: SigV4Parts;
  readonly #signingKeys = new SigningKeyCache(SIGNING_KEYS_PER_CREDENTIAL_MAX);
  /** Signs for access keys that do not exist, so that they take as long as those that do. */
  readonly #nobody = deriveSigningKey(randomBytes(32), { day: '', region: '', service: SERVICE });

  readonly #known = new KnownAuthorizations();
  #lastTime: RequestTime | undefined;

  constructor(parts: SigV4Parts) {
    this.#parts = parts;
  }

  authenticate(request: UnverifiedRequest): Caller {
    const { headers } = request.head;
    if (!headers.has('authorization') && request.head.query !== '')
      throw new KmsError('MissingAuthenticationTokenException', QUERY_SIGNATURE);
    const amzDate = headers.get('x-amz-date');
    const date = headers.get('date');
    const authorization = this.#known.read(headers.get('authorization'), (amzDate ?? date) !== undefined);
    const time = this.#timeOf(amzDate, date);
    this.#requireScope(authorization, time);
    requireSignedHeaders(request.head, authorization.signedHeaders);
    requireCurrent(time, this.#parts.clock.nowMs());
    const credential = this.#verify(request, authorization, time);
    this.#known.remember(authorization);
    return callerOf(request, credential, authorization.region);
  }

  /** Busy clients send many requests with the same time, which need not be read again. */
  #timeOf(amzDate: string | undefined, date: string | undefined): RequestTime {
    if (amzDate === undefined || amzDate !== this.#lastTime?.basic) this.#lastTime = parseRequestTime(amzDate, date);
    return this.#lastTime;
  }

  #requireScope(authorization: Authorization, time: RequestTime): void {
    const { region } = authorization;
    const { regions } = this.#parts;
    if (regions === undefined ? !isRegionName(region) : !regions.has(region)) {
      throw invalidSignature('Credential should be scoped to a valid region.');
    }
    if (authorization.service !== SERVICE) throw invalidSignature(`Credential should be scoped to correct service: '${SERVICE}'.`);
    if (authorization.terminator !== SCOPE_TERMINATOR) {
      throw invalidSignature(`Credential should be scoped with a valid terminator: '${SCOPE_TERMINATOR}'.`);
    }
    if (authorization.day !== time.basic.slice(0, 8)) {
      throw invalidSignature('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.');
    }
  }

  #verify(request: UnverifiedRequest, authorization: Authorization, time: RequestTime): Credential {
    const credential = this.#parts.credentials.find(authorization.accessKeyId);
    const scope: Scope = { day: authorization.day, region: authorization.region, service: SERVICE };
    const signingKey = credential === undefined ? this.#nobody : this.#signingKeys.get(credential, scope);
    const bodyHash = hash('sha256', request.body, 'hex');
    const canonical = canonicalRequest(request.head, authorization.signedHeaders, bodyHash);
    const expected = signingKey.macHex(stringToSign(canonical, time.basic, scope));
    const matches = equalConstantTime(Buffer.from(expected, 'latin1'), Buffer.from(authorization.signature, 'latin1'));
    if (credential === undefined || !tokenMatches(credential, request.head) || !partitionMatches(credential, scope)) {
      throw new KmsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    const declaredHash = request.head.headers.get('x-amz-content-sha256') ?? bodyHash;
    if (!matches || declaredHash !== bodyHash) throw invalidSignature(MISMATCH);
    return credential;
  }
}

/** Host, content type and every x-amz-* header sent must be signed, or someone on the way could change them. */
function requireSignedHeaders(head: RequestHead, signed: readonly string[]): void {
  if (!signed.includes('host')) throw invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  // Sorted, without repetition and all present is the only form that a client can have signed (it signs the list too).
  if (signed.length > head.headers.size) throw invalidSignature(MISMATCH);
  for (let i = 1; i < signed.length; i++) if (signed[i]! <= signed[i - 1]!) throw invalidSignature(MISMATCH);
  for (const name of head.headers.keys()) {
    const decides = name.startsWith('x-amz-') || name === 'content-type' || (name === 'date' && !head.headers.has('x-amz-date'));
    if (decides && !signed.includes(name)) throw invalidSignature(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
}

/** Temporary credentials come with their token, lasting ones without any. */
function tokenMatches(credential: Credential, head: RequestHead): boolean {
  const token = head.headers.get('x-amz-security-token');
  const { sessionToken } = credential;
  if (sessionToken === undefined || token === undefined) return sessionToken === token;
  return sessionToken.expose((expected) => equalConstantTime(expected, Buffer.from(token, 'latin1')));
}

function partitionMatches(credential: Credential, scope: Scope): boolean {
  return credential.partition === partitionOf(scope.region);
}

function invalidSignature(message: string): KmsError {
  return new KmsError('InvalidSignatureException', message);
}
