/** What a token can do, found out by doing it: mechanism lists leave out what works and name what does not. */
import type { TokenConfig } from '../../config/config.ts';
import type { CallClasses } from '../call-classes.ts';
import type { Cryptoki } from '../cryptoki.ts';
import type { Capabilities } from '../token.ts';
import { measureCbc, measureGcm } from './cipher-probes.ts';
import { measureEcdh, measureEcdsa, measureEdDsa } from './curve-probes.ts';
import {
  measureCopy,
  measureExtractable,
  measureUnwrapAttributes,
  measureUnwrapTemplate,
  measureWrapWithTrusted,
} from './custody-probes.ts';
import { measureDerivation } from './derivation-probes.ts';
import { measureHmacs } from './mac-probes.ts';
import { copiesPrivateInside, keepsPrivateInside, measureWrapsPrivate, unwrapsPrivateInside } from './private-key-probes.ts';
import { ProbeBench, succeeds } from './probe-bench.ts';
import { generateRsaPairs, measureRsa } from './rsa-probes.ts';
import type { RsaCapabilities } from './rsa-probes.ts';
import { measureKeyWrap, measureKwp } from './wrap-probes.ts';

/**
 * Measures on session objects, which are gone afterwards. Takes about half a second on SoftHSM (one RSA key pair), and is bounded
 * by the deadlines of the calls. Rejects with TokenError when the token does not answer.
 */
export async function measureCapabilities(
  cryptoki: Cryptoki,
  calls: CallClasses,
  gcmIvSource: TokenConfig['gcmIvSource'],
): Promise<Capabilities> {
  const bench = new ProbeBench(cryptoki, calls);
  try {
    const [symmetric, pairs] = await Promise.all([measureSymmetric(bench, gcmIvSource), generateRsaPairs(bench)]);
    return {
      ...symmetric,
      ...(await measureRsa(bench, pairs)),
      ...(await measureCurves(bench)),
      wrapsPrivate: await measureWrapsPrivate(bench, symmetric.kwp, pairs.signing),
    };
  } finally {
    await bench.clear();
  }
}

type SymmetricCapabilities = Omit<Capabilities, keyof RsaCapabilities | keyof CurveCapabilities | 'wrapsPrivate'>;

async function measureSymmetric(bench: ProbeBench, wanted: TokenConfig['gcmIvSource']): Promise<SymmetricCapabilities> {
  const gcmIvSource = await measureGcm(bench, wanted);
  const hmac = await measureHmacs(bench);
  const kwp = await measureKwp(bench);
  const onlyTrusted = { EXTRACTABLE: true, WRAP_WITH_TRUSTED: true };
  return {
    aesGcm: gcmIvSource !== undefined,
    gcmIvSource: gcmIvSource ?? 'supplied',
    keyDerivation: await measureDerivation(bench),
    kwp,
    aesKeyWrap: await measureKeyWrap(bench),
    hmac,
    hmacSha256: hmac.includes('SHA256'),
    aesCbc: await measureCbc(bench),
    honoursExtractable: (await measureExtractable(bench)) && (await keepsPrivateInside(bench, {})),
    honoursWrapWithTrusted: (await measureWrapWithTrusted(bench)) && (await keepsPrivateInside(bench, onlyTrusted)),
    honoursUnwrapAttributes: await measureUnwrapAttributes(bench),
    enforcesUnwrapTemplate: (await measureUnwrapTemplate(bench)) && (await unwrapsPrivateInside(bench, kwp)),
    copyKeepsCustody: (await measureCopy(bench)) && (await copiesPrivateInside(bench)),
    sessionKeys: await succeeds(async () => (await bench.generate({ ENCRYPT: true })).handle !== undefined),
  };
}

type CurveCapabilities = Pick<Capabilities, 'ecdsa' | 'ecdh' | 'ed25519' | 'ed25519ph'>;

async function measureCurves(bench: ProbeBench): Promise<CurveCapabilities> {
  return { ecdsa: await measureEcdsa(bench), ecdh: await measureEcdh(bench), ...(await measureEdDsa(bench)) };
}
