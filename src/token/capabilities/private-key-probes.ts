/** Private keys wrapped out under AES-KWP and back: which types can be, and whether a token keeps its promises about private keys as about secret ones. */
import { createHash, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { attributesToCheck, weaknesses } from '../key-strength.ts';
import { keyTypeOf } from '../key-pairs.ts';
import type { PairShape } from '../key-pairs.ts';
import { digestInfo } from '../../keys/rsa-encoding.ts';
import type { ObjectHandle } from '../cryptoki.ts';
import type { AttributeName, KeyType, Mechanism, Template } from '../mechanism.ts';
import { OPTIONAL_ATTRIBUTES, STAYS_INSIDE, privateForm, unwrappedKey, without } from '../templates.ts';
import type { Capabilities } from '../token.ts';
import { copiesWeaker, isKept, wayOut } from './custody-probes.ts';
import type { ProbeBench, ProbePair } from './probe-bench.ts';
import { succeeds } from './probe-bench.ts';

const text = Buffer.from('message of a self-test');
const p256: PairShape = { type: 'ec', curve: 'prime256v1' };
const names = { id: new Uint8Array(16), label: 'hsm-kms probe' };

/** Signs `text`; true when the public key confirms it. */
type SigningTest = (bench: ProbeBench, key: ObjectHandle, publicKey: KeyObject) => Promise<boolean>;

const signsRsa: SigningTest = async (bench, key, publicKey) => {
  const info = digestInfo('sha256', createHash('sha256').update(text).digest());
  return verify('sha256', text, publicKey, await bench.cryptoki.sign({ name: 'RSA_PKCS' }, key, info, bench.calls.slow));
};

const signsEc: SigningTest = async (bench, key, publicKey) => {
  const digest = createHash('sha256').update(text).digest();
  const signature = await bench.cryptoki.sign({ name: 'ECDSA' }, key, digest, bench.calls.slow);
  return verify('sha256', text, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
};

const signsEd25519: SigningTest = async (bench, key, publicKey) =>
  verify(null, text, publicKey, await bench.cryptoki.sign({ name: 'EDDSA' }, key, text, bench.calls.slow));

/** `rsa` is a pair that signs and may be extracted: making another one takes too long. */
export async function measureWrapsPrivate(
  bench: ProbeBench,
  kwp: Capabilities['kwp'],
  rsa: ProbePair | undefined,
): Promise<readonly KeyType[]> {
  if (kwp === undefined) return [];
  const generate = (shape: PairShape): Promise<ProbePair | undefined> => bench.generatePair(shape, ['SIGN'], { EXTRACTABLE: true });
  const served: KeyType[] = [];
  const tries = [
    [{ type: 'rsa', modulusBits: 2048 }, async () => rsa, signsRsa],
    [p256, () => generate(p256), signsEc],
    [{ type: 'ed25519' }, () => generate({ type: 'ed25519' }), signsEd25519],
  ] as const;
  for (const [shape, pair, signs] of tries) {
    const type = keyTypeOf(shape);
    if (await succeeds(async () => comesBack(bench, { name: kwp }, type, await pair(), signs))) served.push(type);
  }
  return served;
}

async function comesBack(
  bench: ProbeBench,
  mechanism: Mechanism,
  type: KeyType,
  pair: ProbePair | undefined,
  signs: SigningTest,
): Promise<boolean> {
  if (pair === undefined) return false;
  const wrapping = (await bench.generate({ WRAP: true, UNWRAP: true })).handle;
  const wrapped = await bench.cryptoki.wrapKey(mechanism, wrapping, pair.privateKey, bench.calls.slow);
  const template = without(unwrappedKey(privateForm(type, 'SIGN'), names, []), new Set(OPTIONAL_ATTRIBUTES));
  const checked = attributesToCheck(template, []);
  const back = bench.keep(await bench.cryptoki.unwrapKey(mechanism, wrapping, wrapped, template, checked, bench.calls.anchorSlow));
  return weaknesses(template, back.attributes, checked).length === 0 && (await signs(bench, back.handle, pair.publicKey));
}

/** False when a private key made with `changes` can be wrapped out. */
export async function keepsPrivateInside(bench: ProbeBench, changes: Template): Promise<boolean> {
  const pair = await bench.generatePair(p256, ['SIGN'], changes);
  if (pair === undefined) return true;
  const wrapping = await bench.generate({ WRAP: true, UNWRAP: true });
  return (await wayOut(bench, wrapping.handle, pair.privateKey)).length === 0;
}

/** False when C_CopyObject makes a private key weaker than the original. */
export async function copiesPrivateInside(bench: ProbeBench): Promise<boolean> {
  const pair = await bench.generatePair(p256, ['SIGN']);
  if (pair === undefined) return true;
  const weaker = async (changes: Template): Promise<boolean> => copiesWeaker(bench, pair.privateKey, changes);
  return !(await weaker({ EXTRACTABLE: true })) && !(await weaker({ SENSITIVE: false }));
}

/** False when a private key comes back readable although CKA_UNWRAP_TEMPLATE of the unwrapping key says otherwise. */
export async function unwrapsPrivateInside(bench: ProbeBench, kwp: Capabilities['kwp']): Promise<boolean> {
  const pair = await bench.generatePair(p256, ['SIGN'], { EXTRACTABLE: true });
  if (pair === undefined || kwp === undefined) return true;
  const unwrapping = (await bench.generate({ WRAP: true, UNWRAP: true, UNWRAP_TEMPLATE: STAYS_INSIDE })).handle;
  const mechanism: Mechanism = { name: kwp };
  return !(await succeeds(async () => {
    const wrapped = await bench.cryptoki.wrapKey(mechanism, unwrapping, pair.privateKey, bench.calls.slow);
    const form = privateForm('EC', 'SIGN');
    const template: Template = { ...unwrappedKey(form, names, []), SENSITIVE: false, EXTRACTABLE: true };
    const asked = without(template, new Set(OPTIONAL_ATTRIBUTES));
    const read: readonly AttributeName[] = ['SENSITIVE', 'EXTRACTABLE', 'VALUE'];
    return !isKept(
      bench.keep(await bench.cryptoki.unwrapKey(mechanism, unwrapping, wrapped, asked, read, bench.calls.anchorSlow)).attributes,
    );
  }));
}
