/** How a token serves each algorithm of the API, or why it does not: the mechanisms by what was measured. One row per scheme. */
import { keyShape, oaepDigests, signingAlgorithm } from '../../keys/algorithms.ts';
import type { Digest, KeyShape, SigningAlgorithmRow } from '../../keys/algorithms.ts';
import type { HashName, PlainMechanismName } from '../../token/mechanism.ts';
import type { Capabilities } from '../../token/token.ts';

type SignatureMechanism = 'RSA_PKCS' | 'RSA_PKCS_PSS' | 'RSA_X_509' | 'ECDSA' | 'EDDSA';

/** `composed`: the token does the private key operation, and the padding around it is made or removed in this process. */
export type AlgorithmService =
  | {
      readonly how: 'token';
      readonly mechanism: Exclude<SignatureMechanism, 'RSA_X_509'> | 'RSA_PKCS_OAEP' | 'ECDH1_DERIVE' | HmacMechanism;
    }
  | { readonly how: 'composed'; readonly mechanism: 'RSA_X_509' }
  | { readonly how: 'refused'; readonly reason: string };

export type HmacMechanism = Extract<PlainMechanismName, `SHA${number}_HMAC`>;

type Shape<Type extends KeyShape['type']> = Extract<KeyShape, { readonly type: Type }>;

const hashNames: Readonly<Record<Digest, HashName>> = {
  sha1: 'SHA_1',
  sha224: 'SHA224',
  sha256: 'SHA256',
  sha384: 'SHA384',
  sha512: 'SHA512',
};
const hmacMechanisms: Readonly<Partial<Record<Digest, HmacMechanism>>> = {
  sha224: 'SHA224_HMAC',
  sha256: 'SHA256_HMAC',
  sha384: 'SHA384_HMAC',
  sha512: 'SHA512_HMAC',
};
const raw: AlgorithmService = { how: 'composed', mechanism: 'RSA_X_509' };

export function isHmac(mechanism: string): mechanism is HmacMechanism {
  return Object.values(hmacMechanisms).some((name) => name === mechanism);
}

/** A digest as PKCS#11 names it. */
export function hashNameOf(digest: Digest): HashName {
  return hashNames[digest];
}

/** How `algorithm` is served for keys of `keySpec`. Algorithm and spec fit. */
export function algorithmService(keySpec: string, algorithm: string, capabilities: Capabilities): AlgorithmService {
  const shape = keyShape(keySpec);
  if (shape.type === 'hmac') return macService(shape, capabilities);
  if (algorithm === 'ECDH') return agreementService(shape, capabilities);
  if (oaepDigests.has(algorithm)) return decryptionService(algorithm, capabilities);
  if (shape.type === 'rsa' || shape.type === 'ec' || shape.type === 'ed25519')
    return signatureService(shape, signingAlgorithm(algorithm), capabilities);
  return refused(`there is no PKCS#11 mechanism here for keys of spec ${keySpec}`);
}

function signatureService(
  shape: Shape<'rsa' | 'ec' | 'ed25519'>,
  { scheme, digest = 'sha256' }: SigningAlgorithmRow,
  capabilities: Capabilities,
): AlgorithmService {
  const { rsaPkcs1, rsaPss, rsaRawSign, ecdsa, ed25519, ed25519ph } = capabilities;
  if (scheme === 'pkcs1' && rsaPkcs1) return { how: 'token', mechanism: 'RSA_PKCS' };
  if (scheme === 'pss' && rsaPss.includes(hashNames[digest])) return { how: 'token', mechanism: 'RSA_PKCS_PSS' };
  if (shape.type === 'rsa')
    return rsaRawSign ? raw : refused('the token makes no such RSA signatures (CKM_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_RSA_X_509)');
  if (shape.type === 'ec')
    return ecdsa.includes(shape.curve)
      ? { how: 'token', mechanism: 'ECDSA' }
      : refused(`the token makes no ECDSA signatures on ${shape.curve}`);
  if (scheme === 'ed25519') return ed25519 ? { how: 'token', mechanism: 'EDDSA' } : refused('the token makes no Ed25519 signatures');
  // Its prefix is hashed together with the private key: nothing outside the token can add it.
  return ed25519ph
    ? { how: 'token', mechanism: 'EDDSA' }
    : refused('the token makes no right Ed25519ph signatures, and they cannot be composed of Ed25519');
}

function decryptionService(algorithm: string, { rsaOaepSha1, rsaOaepSha256, rsaRawDecrypt }: Capabilities): AlgorithmService {
  const native = oaepDigests.get(algorithm)?.digest === 'sha1' ? rsaOaepSha1 : rsaOaepSha256;
  if (native) return { how: 'token', mechanism: 'RSA_PKCS_OAEP' };
  return rsaRawDecrypt ? raw : refused(`the token does neither ${algorithm} nor RSA without padding (CKM_RSA_X_509)`);
}

function agreementService(shape: KeyShape, { ecdh }: Capabilities): AlgorithmService {
  if (shape.type === 'ec' && ecdh.includes(shape.curve)) return { how: 'token', mechanism: 'ECDH1_DERIVE' };
  return refused('the token does no ECDH on this curve whose secret can be read (CKM_ECDH1_DERIVE)');
}

function macService({ digest }: Shape<'hmac'>, { hmac }: Capabilities): AlgorithmService {
  const mechanism = hmacMechanisms[digest];
  if (mechanism !== undefined && hmac.includes(hashNames[digest])) return { how: 'token', mechanism };
  return refused(`the token computes no HMAC with ${hashNames[digest]} under keys of that length`);
}

function refused(reason: string): AlgorithmService {
  return { how: 'refused', reason };
}
