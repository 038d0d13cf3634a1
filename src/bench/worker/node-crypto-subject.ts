/** The ceiling of software keys: node:crypto by itself, keys parsed beforehand, in the threads of Node where it has a form for them. */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign as signWithCallback,
  verify as verifyWithCallback,
} from 'node:crypto';
import { promisify } from 'node:util';
import { keyShape, oaepDigests, signingAlgorithm } from '../../keys/algorithms.ts';
import { generateKeyPair } from '../../keys/key-pair.ts';
import type { MeasuredOperation } from '../closed-loop.ts';
import type { KeyChoice, Workload } from '../observation.ts';
import type { Subject } from './subject.ts';

const sign = promisify(signWithCallback);
const verify = promisify(verifyWithCallback);

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export class NodeCryptoSubject implements Subject {
  readonly role = 'service';
  readonly processes: Subject['processes'] = {};

  async prepare({ operation, bytes, key }: Workload): Promise<MeasuredOperation> {
    if (key === undefined) throw new RangeError('node:crypto is measured with keys of other specs than SYMMETRIC_DEFAULT');
    const message = randomBytes(bytes);
    const shape = keyShape(key.spec);
    if (shape.type === 'hmac') {
      const secret = randomBytes(shape.keyBytes);
      return async () => createHmac(shape.digest, secret).update(message).digest();
    }
    const pair = await newPair(key.spec);
    if (operation === 'Sign' || operation === 'Verify') return signature(operation, key, pair, message);
    if (operation === 'DeriveSharedSecret') {
      const peer = await newPair(key.spec);
      return async () => diffieHellman({ privateKey: pair.privateKey, publicKey: peer.publicKey });
    }
    const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: oaepDigests.get(key.algorithm)?.digest ?? 'sha1' };
    if (operation === 'Encrypt') return async () => publicEncrypt({ key: pair.publicKey, ...oaep }, message);
    const ciphertext = publicEncrypt({ key: pair.publicKey, ...oaep }, message);
    return async () => privateDecrypt({ key: pair.privateKey, ...oaep }, ciphertext);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function signature(operation: 'Sign' | 'Verify', { algorithm }: KeyChoice, pair: Pair, message: Buffer): Promise<MeasuredOperation> {
  const { scheme, digest = null } = signingAlgorithm(algorithm);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const options = scheme === 'pss' ? pss : {};
  const privateKey = { key: pair.privateKey, ...options };
  if (operation === 'Sign') return () => sign(digest, message, privateKey);
  const made = await sign(digest, message, privateKey);
  return () => verify(digest, message, { key: pair.publicKey, ...options }, made);
}

async function newPair(spec: string): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair(spec, (lengthBytes) => Uint8Array.from(randomBytes(lengthBytes)));
  return {
    publicKey: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }),
    privateKey: createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' }),
  };
}
