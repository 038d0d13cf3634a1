/**
 * RSA, on one session pair of 2048 bits: software seals and verifies with the public half what the token opens and signs. Larger moduli are
 * not tried: making them would take seconds of every start.
 */
import { constants, createHash, publicEncrypt, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { equalConstantTime } from '../../bytes.ts';
import { digestInfo, encodePkcs1 } from '../../keys/rsa-encoding.ts';
import type { SignatureDigest } from '../../keys/rsa-encoding.ts';
import type { ObjectHandle } from '../cryptoki.ts';
import type { HashName, Mechanism } from '../mechanism.ts';
import type { Capabilities } from '../token.ts';
import type { ProbeBench, ProbePair } from './probe-bench.ts';
import { succeeds } from './probe-bench.ts';

export type RsaCapabilities = Pick<Capabilities, 'rsaOaepSha1' | 'rsaOaepSha256' | 'rsaPkcs1' | 'rsaPss' | 'rsaRawSign' | 'rsaRawDecrypt'>;

const shape = { type: 'rsa', modulusBits: 2048 } as const;
const modulusBytes = shape.modulusBits / 8;
const text = Buffer.from('message of a self-test');
const secret = new Uint8Array(32).fill(0x77);
const pssDigests: readonly (readonly [HashName, SignatureDigest])[] = [
  ['SHA256', 'sha256'],
  ['SHA384', 'sha384'],
  ['SHA512', 'sha512'],
];

/** Both pairs are one where the token makes keys that sign and decrypt. */
export interface RsaPairs {
  readonly signing: ProbePair | undefined;
  readonly decrypting: ProbePair | undefined;
}

export async function generateRsaPairs(bench: ProbeBench): Promise<RsaPairs> {
  const both = await bench.generatePair(shape, ['SIGN', 'DECRYPT'], { EXTRACTABLE: true });
  if (both !== undefined) return { signing: both, decrypting: both };
  const signing = await bench.generatePair(shape, ['SIGN'], { EXTRACTABLE: true });
  return { signing, decrypting: signing && (await bench.generatePair(shape, ['DECRYPT'])) };
}

export async function measureRsa(bench: ProbeBench, { signing, decrypting }: RsaPairs): Promise<RsaCapabilities> {
  return {
    rsaOaepSha1: decrypting !== undefined && (await opensOaep(bench, decrypting, 'SHA_1', 'sha1')),
    rsaOaepSha256: decrypting !== undefined && (await opensOaep(bench, decrypting, 'SHA256', 'sha256')),
    rsaRawDecrypt: decrypting !== undefined && (await opensRaw(bench, decrypting)),
    rsaPkcs1: signing !== undefined && (await signsPkcs1(bench, signing)),
    rsaRawSign: signing !== undefined && (await signsRaw(bench, signing)),
    rsaPss: signing === undefined ? [] : await measurePss(bench, signing),
  };
}

function opensOaep(bench: ProbeBench, { publicKey, privateKey }: ProbePair, hash: HashName, oaepHash: string): Promise<boolean> {
  const sealed = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, secret);
  return opens(bench, { name: 'RSA_PKCS_OAEP', hash }, privateKey, sealed, secret);
}

/** The block begins with zeros, as OAEP does: a token that leaves them away shows by the length of its answer what nobody may learn. */
function opensRaw(bench: ProbeBench, { publicKey, privateKey }: ProbePair): Promise<boolean> {
  const block = new Uint8Array(modulusBytes).fill(0x5a, 2);
  const sealed = publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block);
  return opens(bench, { name: 'RSA_X_509' }, privateKey, sealed, block);
}

function opens(bench: ProbeBench, mechanism: Mechanism, key: ObjectHandle, sealed: Uint8Array, expected: Uint8Array): Promise<boolean> {
  return succeeds(async () => equalConstantTime(await bench.cryptoki.decrypt(mechanism, key, sealed, bench.calls.slow), expected));
}

function signsPkcs1(bench: ProbeBench, { publicKey, privateKey }: ProbePair): Promise<boolean> {
  return signs(bench, { name: 'RSA_PKCS' }, privateKey, digestInfo('sha256', digestOf('sha256')), 'sha256', publicKey);
}

function signsRaw(bench: ProbeBench, { publicKey, privateKey }: ProbePair): Promise<boolean> {
  const block = encodePkcs1('sha256', digestOf('sha256'), modulusBytes);
  return signs(bench, { name: 'RSA_X_509' }, privateKey, block, 'sha256', publicKey);
}

async function measurePss(bench: ProbeBench, { publicKey, privateKey }: ProbePair): Promise<readonly HashName[]> {
  const served: HashName[] = [];
  for (const [hash, digest] of pssDigests) {
    const value = digestOf(digest);
    const mechanism: Mechanism = { name: 'RSA_PKCS_PSS', hash, saltBytes: value.length };
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    if (await signs(bench, mechanism, privateKey, value, digest, { key: publicKey, ...padding })) served.push(hash);
  }
  return served;
}

function signs(
  bench: ProbeBench,
  mechanism: Mechanism,
  key: ObjectHandle,
  data: Uint8Array,
  digest: SignatureDigest,
  verifier: KeyObject | { readonly key: KeyObject; readonly padding: number; readonly saltLength: number },
): Promise<boolean> {
  return succeeds(async () => verify(digest, text, verifier, await bench.cryptoki.sign(mechanism, key, data, bench.calls.slow)));
}

function digestOf(digest: SignatureDigest): Uint8Array {
  return createHash(digest).update(text).digest();
}
