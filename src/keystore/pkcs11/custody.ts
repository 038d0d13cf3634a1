/** What keeps a material inside the token, and which of it the token does not do. Measured, not believed. */
import type { Custody, CiphertextSuite, Residency } from '../../keys/key-record.ts';
import type { Capabilities, Token } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import { keyWrapAlgorithm } from './service-keys.ts';
import type { WrappedMaterials } from './wrapped-materials.ts';

/** The parts of the configuration that decide about new materials. */
export interface MaterialPolicy {
  readonly residency: Extract<Residency, 'token' | 'wrapped'>;
  readonly suite: 'measured' | 'derived' | 'direct';
  readonly custody: Custody;
}

/** What new materials are, or why there can be none. */
export interface NewMaterials {
  readonly suite: CiphertextSuite | undefined;
  /** Set when there is no suite: kind `unsupported`. */
  readonly suiteRefusal: KeyStoreError | undefined;
  readonly custody: Custody;
  /** Set when no materials of any kind are made: kind `unsupported` or `refused`. */
  readonly refusal: KeyStoreError | undefined;
  readonly remarks: readonly string[];
}

/** Decides once, at start, what this token makes under this policy. Rejects with TokenError when the token fails meanwhile. */
export async function planNewMaterials(token: Token, policy: MaterialPolicy, wrapped: WrappedMaterials): Promise<NewMaterials> {
  const place = policy.residency === 'token' ? planResident(token, policy) : await planWrapped(token, policy, wrapped);
  const suite = place.refusal === undefined ? suiteFor(policy.suite, token.capabilities) : undefined;
  if (suite !== undefined || place.refusal !== undefined) return { ...place, suite, suiteRefusal: place.refusal };
  const message = `The token "${token.name}" cannot do the suite "${policy.suite}": ${needs(policy.suite)}`;
  return { ...place, suite, suiteRefusal: new KeyStoreError('unsupported', message), remarks: [...place.remarks, message] };
}

type Place = Omit<NewMaterials, 'suite' | 'suiteRefusal'>;

/** The suite that the token can do under the policy; the SP800-108 derivation is preferred by its measurement. */
export function suiteFor(policy: MaterialPolicy['suite'], capabilities: Capabilities): CiphertextSuite | undefined {
  if (!capabilities.aesGcm || !capabilities.aesCbc) return undefined;
  const derived = capabilities.keyDerivation === 'sp800-108-counter' ? 'derived-sp800-108' : 'derived-aes-cbc-data';
  if (policy !== 'direct' && capabilities.keyDerivation !== undefined && capabilities.sessionKeys) return derived;
  return policy === 'derived' ? undefined : 'direct';
}

/** True where the token can use materials of the suite, made here or elsewhere. */
export function runsSuite(suite: CiphertextSuite, { aesGcm, aesCbc, keyDerivation, sessionKeys }: Capabilities): boolean {
  if (!aesGcm || !aesCbc) return false;
  const derivation = suite === 'derived-sp800-108' ? 'sp800-108-counter' : 'aes-cbc-encrypt-data';
  return suite === 'direct' || (sessionKeys && keyDerivation === derivation);
}

function needs(policy: MaterialPolicy['suite']): string {
  return policy === 'derived'
    ? 'it needs AES-GCM, AES-CBC, and a derivation of AES-256 session keys (SP800-108 counter mode or AES_CBC_ENCRYPT_DATA)'
    : 'it needs AES-GCM, and AES-CBC for fingerprints';
}

function planResident(token: Token, policy: MaterialPolicy): Place {
  const { honoursExtractable, copyKeepsCustody } = token.capabilities;
  const remarks = [
    ...(honoursExtractable ? [] : ['the token wraps out keys that are marked as not extractable: who has the PIN can take keys out']),
    ...(copyKeepsCustody ? [] : ['a copy of a key can be made extractable: who has the PIN can take keys out']),
  ];
  const custody = policy.custody === 'reduced' || remarks.length > 0 ? 'reduced' : 'full';
  return { custody, refusal: undefined, remarks };
}

async function planWrapped(token: Token, policy: MaterialPolicy, wrapped: WrappedMaterials): Promise<Place> {
  const { hmacSha256, sessionKeys, honoursUnwrapAttributes } = token.capabilities;
  if (keyWrapAlgorithm(token) === undefined || !hmacSha256 || !sessionKeys || !honoursUnwrapAttributes) {
    const reason = 'residency "wrapped" needs AES key wrap, HMAC-SHA-256, session keys, and unwrapped keys that keep their attributes';
    return refuse(policy, new KeyStoreError('unsupported', `The token "${token.name}" cannot keep wrapped keys: ${reason}`));
  }
  const remarks = await wrappedShortcomings(token, wrapped);
  if (remarks instanceof KeyStoreError) return refuse(policy, remarks);
  if (remarks.length === 0 || policy.custody === 'reduced') return { custody: policy.custody, refusal: undefined, remarks };
  const message = `The token "${token.name}" does not keep wrapped keys inside: ${remarks.join('; ')}. Use residency "token", or accept it with custody "reduced"`;
  return { ...refuse(policy, new KeyStoreError('refused', message)), remarks };
}

/** Ways out of the token for someone with PIN and database, or the reason why there is no wrapping key to judge. */
async function wrappedShortcomings(token: Token, wrapped: WrappedMaterials): Promise<readonly string[] | KeyStoreError> {
  const { honoursExtractable, honoursWrapWithTrusted, enforcesUnwrapTemplate } = token.capabilities;
  try {
    const { current } = await wrapped.serviceKeys();
    const templateHolds = enforcesUnwrapTemplate && (await wrapped.unwrapsIntoCustody());
    return [
      ...(honoursExtractable ? [] : ['it wraps out keys that are marked as not extractable']),
      ...(honoursWrapWithTrusted ? [] : ['it wraps keys marked WRAP_WITH_TRUSTED under any key']),
      ...(current.trusted ? [] : ['its wrapping key is not marked TRUSTED']),
      ...(current.wrapsOnly ? [] : ['its wrapping key decrypts, or can be made to: records can be taken out']),
      ...(templateHolds ? [] : ['its wrapping key unwraps records into keys that can be taken out']),
    ];
  } catch (error) {
    if (error instanceof KeyStoreError) return error;
    throw error;
  }
}

function refuse(policy: MaterialPolicy, refusal: KeyStoreError): Place {
  return { custody: policy.custody, refusal, remarks: [refusal.message] };
}
