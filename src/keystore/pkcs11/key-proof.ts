/** Do a private key in the token and a public key outside belong together? What the one does, the other must confirm. */
import { createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { equalConstantTime } from '../../bytes.ts';
import { keyShape } from '../../keys/algorithms.ts';
import { encryptWithPublicKey } from '../../keys/public-key-encryption.ts';
import { isSignatureValid } from '../../keys/verify-signature.ts';
import type { PrivateKeyUse } from '../../token/key-pairs.ts';
import { TokenError } from '../../token/token-error.ts';
import { KeyStoreError } from '../keystore.ts';
import type { AlgorithmService } from './algorithm-service.ts';
import { agreeIn, decryptIn, signIn } from './key-calls.ts';
import type { OpenKey } from './key-calls.ts';

/** Of this nobody is shown a signature. */
const message = Buffer.from('hsm-kms: the halves of a key pair belong together');

/** Rejects with KeyStoreError `internal` when they do not. `services` are the ways in which the key may be used. */
export async function proveHalves(
  key: OpenKey,
  publicKey: Uint8Array,
  use: PrivateKeyUse,
  services: ReadonlyMap<string, AlgorithmService>,
): Promise<void> {
  const [algorithm, service] = [...services].find(([, { how }]) => how !== 'refused') ?? [];
  if (algorithm === undefined || service === undefined) throw new KeyStoreError('unsupported', 'The token serves no algorithm of this key');
  const proofs = { SIGN: signs, DECRYPT: decrypts, DERIVE: agrees };
  if (await proofs[use](key, publicKey, algorithm, service)) return;
  throw new KeyStoreError('internal', 'The private key in the token does not belong to the public key of its record; it is not used');
}

async function signs(key: OpenKey, publicKey: Uint8Array, algorithm: string, service: AlgorithmService): Promise<boolean> {
  const request = { algorithm, messageType: 'RAW', message } as const;
  return isSignatureValid({ keySpec: key.keySpec, publicKey, ...request }, await signIn(key, service, request));
}

async function decrypts(key: OpenKey, publicKey: Uint8Array, algorithm: string, service: AlgorithmService): Promise<boolean> {
  const secret = randomBytes(32);
  const sealed = encryptWithPublicKey(publicKey, algorithm, secret);
  const opened = await decryptIn(key, service, algorithm, sealed).catch((error: unknown) => unlessOpened(key, error));
  return equalConstantTime(opened, secret);
}

/** Nothing, for a ciphertext that is of another pair. Rejects with `error`, or with what ails the token, when that is not what it means. */
async function unlessOpened({ token }: OpenKey, error: unknown): Promise<Uint8Array> {
  const isWrong =
    error instanceof KeyStoreError ? error.kind === 'invalid-ciphertext' : error instanceof TokenError && error.kind === 'input';
  // CKR_GENERAL_ERROR, which tokens also return when they are broken.
  const isUnclear = error instanceof TokenError && error.kind === 'unclear';
  if (!isWrong && !isUnclear) throw error;
  if (isUnclear) await token.probe();
  return new Uint8Array();
}

async function agrees(key: OpenKey, publicKey: Uint8Array): Promise<boolean> {
  const shape = keyShape(key.keySpec);
  if (shape.type !== 'ec') return false;
  const peer = generateKeyPairSync('ec', { namedCurve: shape.curve });
  const own = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const secret = await agreeIn(key, peer.publicKey.export({ format: 'der', type: 'spki' }));
  return equalConstantTime(secret, diffieHellman({ privateKey: peer.privateKey, publicKey: own }));
}
