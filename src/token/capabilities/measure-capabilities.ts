/** What a token can do, found out by doing it: mechanism lists leave out what works and name what does not. */
import type { TokenConfig } from '../../config/config.ts';
import type { CallClasses } from '../call-classes.ts';
import type { Cryptoki } from '../cryptoki.ts';
import type { Capabilities } from '../token.ts';
import { measureCbc, measureGcm, measureHmacSha256 } from './cipher-probes.ts';
import {
  measureCopy,
  measureExtractable,
  measureUnwrapAttributes,
  measureUnwrapTemplate,
  measureWrapWithTrusted,
} from './custody-probes.ts';
import { measureDerivation } from './derivation-probes.ts';
import { measureOaep } from './oaep-probes.ts';
import { ProbeBench, succeeds } from './probe-bench.ts';
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
    const [symmetric, oaep] = await Promise.all([measureSymmetric(bench, gcmIvSource), measureOaep(bench)]);
    return { ...symmetric, rsaOaepSha1: oaep.sha1, rsaOaepSha256: oaep.sha256 };
  } finally {
    await bench.clear();
  }
}

async function measureSymmetric(
  bench: ProbeBench,
  wanted: TokenConfig['gcmIvSource'],
): Promise<Omit<Capabilities, 'rsaOaepSha1' | 'rsaOaepSha256'>> {
  const gcmIvSource = await measureGcm(bench, wanted);
  return {
    aesGcm: gcmIvSource !== undefined,
    gcmIvSource: gcmIvSource ?? 'supplied',
    keyDerivation: await measureDerivation(bench),
    kwp: await measureKwp(bench),
    aesKeyWrap: await measureKeyWrap(bench),
    hmacSha256: await measureHmacSha256(bench),
    aesCbc: await measureCbc(bench),
    honoursExtractable: await measureExtractable(bench),
    honoursWrapWithTrusted: await measureWrapWithTrusted(bench),
    honoursUnwrapAttributes: await measureUnwrapAttributes(bench),
    enforcesUnwrapTemplate: await measureUnwrapTemplate(bench),
    copyKeepsCustody: await measureCopy(bench),
    sessionKeys: await succeeds(async () => (await bench.generate({ ENCRYPT: true })).handle !== undefined),
  };
}
