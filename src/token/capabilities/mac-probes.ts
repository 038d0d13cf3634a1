/** HMAC with keys as long as the digest, against node:crypto with a published test key, or by round trip where a token takes no key in clear. */
import { createHmac } from 'node:crypto';
import { concatBytes, equalConstantTime } from '../../bytes.ts';
import type { ObjectHandle } from '../cryptoki.ts';
import type { HashName, PlainMechanismName } from '../mechanism.ts';
import { TEST_KEY } from './cipher-probes.ts';
import type { ProbeBench } from './probe-bench.ts';
import { succeeds } from './probe-bench.ts';

interface Hmac {
  readonly hash: HashName;
  readonly mechanism: PlainMechanismName;
  readonly digest: string;
  readonly bytes: number;
}

const hmacs: readonly Hmac[] = [
  { hash: 'SHA224', mechanism: 'SHA224_HMAC', digest: 'sha224', bytes: 28 },
  { hash: 'SHA256', mechanism: 'SHA256_HMAC', digest: 'sha256', bytes: 32 },
  { hash: 'SHA384', mechanism: 'SHA384_HMAC', digest: 'sha384', bytes: 48 },
  { hash: 'SHA512', mechanism: 'SHA512_HMAC', digest: 'sha512', bytes: 64 },
];
const use = { KEY_TYPE: 'GENERIC_SECRET', SIGN: true } as const;
const text = Buffer.from('message of a self-test');
const otherText = Buffer.from('another message');

/** Digests whose HMAC the token computes rightly, with a key that it made. */
export async function measureHmacs(bench: ProbeBench): Promise<readonly HashName[]> {
  const served: HashName[] = [];
  for (const hmac of hmacs) if (await succeeds(() => computes(bench, hmac))) served.push(hmac.hash);
  return served;
}

async function computes(bench: ProbeBench, { mechanism, digest, bytes }: Hmac): Promise<boolean> {
  const mac = (key: ObjectHandle, data: Uint8Array): Promise<Uint8Array> =>
    bench.cryptoki.sign({ name: mechanism }, key, data, bench.calls.fast);
  const value = concatBytes(TEST_KEY, TEST_KEY).subarray(0, bytes);
  const known = await bench.install(value, use);
  if (known !== undefined && !equalConstantTime(await mac(known, text), createHmac(digest, value).update(text).digest())) return false;
  const { handle } = await bench.generateSecret({ ...use, VALUE_LEN: bytes });
  const first = await mac(handle, text);
  return (
    first.length === bytes && equalConstantTime(first, await mac(handle, text)) && !equalConstantTime(first, await mac(handle, otherText))
  );
}
