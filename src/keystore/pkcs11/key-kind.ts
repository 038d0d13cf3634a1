/** Materials of every key spec but SYMMETRIC_DEFAULT as token keys: private keys of pairs, and keys of HMACs. */
import { keyAlgorithms, keyShape } from '../../keys/algorithms.ts';
import { macKeyFingerprint, macKeyFingerprintInput, publicKeyFingerprint } from '../../keys/key-fingerprint.ts';
import type { KeyUsage } from '../../keys/key-record.ts';
import { generationOf, keyTypeOf, publicKeyAttributes, publicKeyOf, publicTemplate } from '../../token/key-pairs.ts';
import type { PairShape, PrivateKeyUse } from '../../token/key-pairs.ts';
import type { AttributeName, MechanismName, Template } from '../../token/mechanism.ts';
import { macForm, privateForm } from '../../token/templates.ts';
import type { Capabilities, Token } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import { algorithmService } from './algorithm-service.ts';
import type { AlgorithmService } from './algorithm-service.ts';
import { destroySessionObject, withSessionObject } from './derivation.ts';
import { macIn } from './key-calls.ts';
import { proveHalves } from './key-proof.ts';
import type { GeneratedKey, MaterialKind } from './material-kind.ts';

/** A kind of key that the token serves, with how it serves each algorithm of the API; at least one is not refused. */
export interface KeyKind extends MaterialKind {
  readonly services: ReadonlyMap<string, AlgorithmService>;
}

const privateUses: Readonly<Partial<Record<KeyUsage, PrivateKeyUse>>> = {
  SIGN_VERIFY: 'SIGN',
  ENCRYPT_DECRYPT: 'DECRYPT',
  KEY_AGREEMENT: 'DERIVE',
};

/** The kind of keys of `keySpec` for `keyUsage`, or the error `unsupported` with the reason why the token serves none of their algorithms. */
export function keyKind(keySpec: string, keyUsage: KeyUsage, capabilities: Capabilities): KeyKind | KeyStoreError {
  const algorithms = keyAlgorithms(keySpec, keyUsage);
  const services = new Map(algorithms.map((name) => [name, algorithmService(keySpec, name, capabilities)]));
  const common = { binding: { keySpec, keyUsage, suite: 'none' }, services, mechanisms: mechanismsOf(services) } as const;
  const shape = keyShape(keySpec);
  const use = privateUses[keyUsage];
  if (common.mechanisms.length === 0) return unsupported(keySpec, keyUsage, services);
  if (shape.type === 'hmac') return macKind(shape.keyBytes, common);
  if (use !== undefined && (shape.type === 'rsa' || shape.type === 'ec' || shape.type === 'ed25519')) return pairKind(shape, use, common);
  return unsupported(keySpec, keyUsage, services);
}

type CommonMembers = Pick<KeyKind, 'binding' | 'services' | 'mechanisms'>;

function macKind(keyBytes: number, common: CommonMembers): KeyKind {
  const { keySpec } = common.binding;
  const [service] = common.services.values();
  return {
    ...common,
    form: macForm(keyBytes),
    generate: (token, template, readBack) => token.generateKey({ name: 'GENERIC_SECRET_KEY_GEN' }, template, readBack),
    fingerprint: async (token, { object }) =>
      macKeyFingerprint(await macIn({ token, object, keySpec }, service as AlgorithmService, macKeyFingerprintInput())),
  };
}

function pairKind(shape: PairShape, use: PrivateKeyUse, common: CommonMembers): KeyKind {
  const { keySpec } = common.binding;
  return {
    ...common,
    form: privateForm(keyTypeOf(shape), use),
    generate: (token, template, readBack) => generatePair(token, shape, use, template, readBack),
    fingerprint: async (token, { object, publicKey }) => {
      if (publicKey === undefined) throw new KeyStoreError('internal', 'The record of a key pair has no public key; the key is not used');
      await proveHalves({ token, object, keySpec }, publicKey, use, common.services);
      return publicKeyFingerprint(publicKey);
    },
  };
}

/** The public object is a session object for the moment until it was read. When it stays, a private one that was to leave does not. */
async function generatePair(
  token: Token,
  shape: PairShape,
  use: PrivateKeyUse,
  template: Template,
  readBack: readonly AttributeName[],
): Promise<GeneratedKey> {
  const wanted = [...publicKeyAttributes, ...readBack];
  const pair = await token.generateKeyPair(generationOf(shape), publicTemplate(shape, use), template, wanted);
  const { object } = pair.privateKey;
  const publicKey = await withSessionObject(token, pair.publicKey.object, async () => publicKeyOf(shape, pair.publicKey.attributes)).catch(
    async (error: unknown) => {
      if (template.TOKEN !== true) await destroySessionObject(token, object);
      throw error;
    },
  );
  if (publicKey !== undefined) return { ...pair.privateKey, publicKey };
  await token.destroyObject(object);
  throw new KeyStoreError('refused', 'The token made a key pair of another kind than it was asked for; it was destroyed');
}

function mechanismsOf(services: ReadonlyMap<string, AlgorithmService>): readonly MechanismName[] {
  const names = [...services.values()].flatMap((service) => (service.how === 'refused' ? [] : [service.mechanism]));
  return [...new Set<MechanismName>(names)];
}

function unsupported(keySpec: string, keyUsage: KeyUsage, services: ReadonlyMap<string, AlgorithmService>): KeyStoreError {
  const reasons = new Set([...services.values()].flatMap((service) => (service.how === 'refused' ? [service.reason] : [])));
  const reason = reasons.size === 0 ? 'such keys do not exist' : [...reasons].join('; ');
  return new KeyStoreError('unsupported', `The token cannot serve keys of spec ${keySpec} for ${keyUsage}: ${reason}`);
}
