/** Does the token keep what it promises about a key that may not leave? Tried on keys of our own, not believed. */
import type { ObjectHandle } from '../cryptoki.ts';
import type { AttributeName, Mechanism, Template } from '../mechanism.ts';
import { STAYS_INSIDE } from '../templates.ts';
import type { ProbeBench } from './probe-bench.ts';
import { rejectedBy, succeeds } from './probe-bench.ts';

/** Every way to wrap a secret key out under another one. */
export const WRAPPINGS: readonly Mechanism[] = [
  { name: 'AES_KEY_WRAP' },
  { name: 'AES_KEY_WRAP_PAD' },
  { name: 'AES_KEY_WRAP_KWP' },
  { name: 'AES_CBC', iv: new Uint8Array(16) },
  { name: 'AES_CBC_PAD', iv: new Uint8Array(16) },
  { name: 'AES_ECB' },
];

const CUSTODY: readonly AttributeName[] = ['SENSITIVE', 'EXTRACTABLE', 'VALUE'];

/** The mechanisms by which `key` can be wrapped out under `wrapping`. */
export async function wayOut(bench: ProbeBench, wrapping: ObjectHandle, key: ObjectHandle): Promise<string[]> {
  const ways: string[] = [];
  for (const mechanism of WRAPPINGS) {
    if (await succeeds(async () => (await bench.cryptoki.wrapKey(mechanism, wrapping, key, bench.calls.fast)).length > 0))
      ways.push(mechanism.name);
  }
  return ways;
}

/** True when a key made with these attributes cannot be wrapped out. */
async function staysInside(bench: ProbeBench, changes: Template, kept: AttributeName | undefined): Promise<boolean> {
  const wrapping = await bench.generate({ WRAP: true, UNWRAP: true });
  const key = await bench.generate({ ENCRYPT: true, ...changes }, kept === undefined ? [] : [kept]);
  if (kept !== undefined && key.attributes[kept] !== true) return false;
  return (await wayOut(bench, wrapping.handle, key.handle)).length === 0;
}

/** A key with EXTRACTABLE false cannot be wrapped out. */
export function measureExtractable(bench: ProbeBench): Promise<boolean> {
  return succeeds(() => staysInside(bench, { EXTRACTABLE: false }, undefined));
}

/** An extractable key with WRAP_WITH_TRUSTED cannot be wrapped under a key that nobody has trusted. */
export function measureWrapWithTrusted(bench: ProbeBench): Promise<boolean> {
  return succeeds(() => staysInside(bench, { EXTRACTABLE: true, WRAP_WITH_TRUSTED: true }, 'WRAP_WITH_TRUSTED'));
}

/** A key as C_WrapKey gives it, with what unwraps it. */
export interface WrappedKey {
  readonly mechanism: Mechanism;
  readonly unwrapping: ObjectHandle;
  readonly wrapped: Uint8Array;
}

/** An extractable key wrapped under a fresh key made with `changes`, by the first mechanism that works. */
export async function wrapSample(bench: ProbeBench, changes: Template = {}): Promise<WrappedKey | undefined> {
  const unwrapping = (await bench.generate({ WRAP: true, UNWRAP: true, ...changes })).handle;
  const sample = await bench.generate({ ENCRYPT: true, EXTRACTABLE: true });
  for (const mechanism of WRAPPINGS) {
    try {
      return { mechanism, unwrapping, wrapped: await bench.cryptoki.wrapKey(mechanism, unwrapping, sample.handle, bench.calls.fast) };
    } catch (error) {
      rejectedBy(error, undefined);
    }
  }
  return undefined;
}

/** True when what is read back of a key says that it stays inside. */
export function isKept(attributes: Template): boolean {
  return attributes.SENSITIVE === true && attributes.EXTRACTABLE === false && attributes.VALUE === undefined;
}

/** C_UnwrapKey makes the key SENSITIVE and not EXTRACTABLE when asked to. openCryptoki does not. */
export function measureUnwrapAttributes(bench: ProbeBench): Promise<boolean> {
  return succeeds(async () => {
    const sample = await wrapSample(bench);
    if (sample === undefined) return false;
    const back = await bench.unwrap(sample.mechanism, sample.unwrapping, sample.wrapped, { ...STAYS_INSIDE, ENCRYPT: true }, CUSTODY);
    return isKept(back.attributes);
  });
}

/** CKA_UNWRAP_TEMPLATE of the unwrapping key wins over the template of the call, and lets a call through that agrees with it. */
export function measureUnwrapTemplate(bench: ProbeBench): Promise<boolean> {
  return succeeds(async () => {
    const sample = await wrapSample(bench, { UNWRAP_TEMPLATE: STAYS_INSIDE });
    if (sample === undefined) return false;
    const { mechanism, unwrapping, wrapped } = sample;
    const kept = await bench.unwrap(mechanism, unwrapping, wrapped, { ...STAYS_INSIDE, ENCRYPT: true }, CUSTODY);
    return isKept(kept.attributes) && !(await unwrapsReadable(bench, sample));
  });
}

/** True when a wrapped key can be brought back as one that can be read. */
export function unwrapsReadable(bench: ProbeBench, { mechanism, unwrapping, wrapped }: WrappedKey): Promise<boolean> {
  return succeeds(async () => {
    const back = await bench.unwrap(mechanism, unwrapping, wrapped, { SENSITIVE: false, EXTRACTABLE: true, ENCRYPT: true }, CUSTODY);
    return !isKept(back.attributes);
  });
}

/** C_CopyObject makes nothing weaker than the original. */
export function measureCopy(bench: ProbeBench): Promise<boolean> {
  return succeeds(async () => {
    const { handle } = await bench.generate({ ENCRYPT: true });
    return !(await copiesWeaker(bench, handle, { EXTRACTABLE: true })) && !(await copiesWeaker(bench, handle, { SENSITIVE: false }));
  });
}

/** True when a copy with `changes` is weaker than a key that stays inside. */
export function copiesWeaker(bench: ProbeBench, key: ObjectHandle, changes: Template): Promise<boolean> {
  return succeeds(async () => !isKept((await bench.copy(key, changes, CUSTODY)).attributes));
}
