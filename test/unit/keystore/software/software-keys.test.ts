/** Keys of the software store other than symmetric ones, each use checked by the public half or against node:crypto. */
import {
  constants,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
} from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyAlgorithms, keyShape, signingAlgorithm } from '../../../../src/keys/algorithms.ts';
import type { MessageType } from '../../../../src/keys/algorithms.ts';
import type { KeyUsage } from '../../../../src/keys/key-record.ts';
import { encapsulateTo } from '../../../../src/keys/public-key-encryption.ts';
import { isSignatureValid } from '../../../../src/keys/verify-signature.ts';
import { ComputingThreads } from '../../../../src/keystore/computing/computing-threads.ts';
import type { BoundKey } from '../../../../src/keystore/keystore.ts';
import { SoftwareKeys, softwareKeySpecs } from '../../../../src/keystore/software/software-keys.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import { kindOf, newKey } from '../../../support/key-store-parts.ts';

const rootKey = new SecretBytes(new Uint8Array(randomBytes(32)));
const threads = new ComputingThreads();
const keys = new SoftwareKeys(rootKey, (lengthBytes) => new Uint8Array(randomBytes(lengthBytes)), threads);
afterAll(() => threads.close());

async function create(keySpec: string, keyUsage: KeyUsage): Promise<BoundKey> {
  const key = { ...newKey(), keySpec, keyUsage };
  const made = await keys.create({ key, keySpec, keyUsage, objectId: new Uint8Array(16) });
  const place = { keyStore: 'software', protection: 'SOFTWARE', residency: 'software', custody: 'full', createdAtMs: 0 } as const;
  return { key, material: { ...made, ...place } };
}

const specsFor = (usage: KeyUsage): readonly string[] => softwareKeySpecs.filter((spec) => keyAlgorithms(spec, usage).length > 0);
const publicKeyOf = ({ material }: BoundKey): Uint8Array => material.publicKey ?? new Uint8Array();
const nodeKey = (publicKey: Uint8Array): ReturnType<typeof createPublicKey> =>
  createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
const signingSpecs = specsFor('SIGN_VERIFY').filter((spec) => spec !== 'RSA_3072' && spec !== 'RSA_4096');

describe.each(signingSpecs)('a %s key that signs', (keySpec) => {
  let bound: BoundKey;
  beforeAll(async () => {
    bound = await create(keySpec, 'SIGN_VERIFY');
  });
  const cases = keyAlgorithms(keySpec, 'SIGN_VERIFY').flatMap((algorithm) =>
    Object.entries(signingAlgorithm(algorithm).messageTypes).map(
      ([messageType, lengthBytes]) => [algorithm, messageType as MessageType, randomBytes(lengthBytes ?? 100)] as const,
    ),
  );

  it.each(cases)('%s of a %s message is verified with the public key, and no other message or signature is', async (...signed) => {
    const [algorithm, messageType, message] = signed;
    const signature = await keys.sign(bound, { algorithm, messageType, message });
    const about = { keySpec, publicKey: publicKeyOf(bound), algorithm, messageType, message };
    expect(await isSignatureValid(about, signature)).toBe(true);
    expect(await isSignatureValid({ ...about, message: randomBytes(message.length) }, signature)).toBe(false);
    for (const at of [0, signature.length >>> 1, signature.length - 1]) {
      const changed = Uint8Array.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await isSignatureValid(about, changed)).toBe(false);
    }
    for (const wrong of [signature.subarray(1), Buffer.concat([signature, Buffer.alloc(1)]), new Uint8Array(1), randomBytes(6144)]) {
      expect(await isSignatureValid(about, wrong)).toBe(false);
    }
  });

  it.runIf(['rsa', 'ec'].includes(keyShape(keySpec).type))(
    'a signature of a digest is one of the message in the eyes of OpenSSL',
    async () => {
      const message = randomBytes(50);
      for (const algorithm of keyAlgorithms(keySpec, 'SIGN_VERIFY')) {
        const { digest = 'sha256', scheme } = signingAlgorithm(algorithm);
        const signature = await keys.sign(bound, {
          algorithm,
          messageType: 'DIGEST',
          message: createHash(digest).update(message).digest(),
        });
        const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
        const key = nodeKey(publicKeyOf(bound));
        expect(verify(digest, message, scheme === 'pss' ? { key, ...pss } : key, signature), algorithm).toBe(true);
        const about = { keySpec, publicKey: publicKeyOf(bound), algorithm, messageType: 'RAW' as const, message };
        expect(await isSignatureValid(about, signature), algorithm).toBe(true);
      }
    },
  );
});

describe('keys of the software store', () => {
  it.each(['RSASSA_PSS_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_512'])(
    '%s signs under the larger moduli too',
    async (algorithm) => {
      for (const keySpec of ['RSA_3072', 'RSA_4096']) {
        const bound = await create(keySpec, 'SIGN_VERIFY');
        const message = randomBytes(signingAlgorithm(algorithm).messageTypes.DIGEST ?? 0);
        const signature = await keys.sign(bound, { algorithm, messageType: 'DIGEST', message });
        expect(signature.length).toBe(keySpec === 'RSA_3072' ? 384 : 512);
        const about = { keySpec, publicKey: publicKeyOf(bound), algorithm, messageType: 'DIGEST' as const, message };
        expect(await isSignatureValid(about, signature)).toBe(true);
      }
    },
    60_000,
  );

  it.each(['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const)('%s opens what OpenSSL sealed, and nothing else', async (algorithm) => {
    const bound = await create('RSA_2048', 'ENCRYPT_DECRYPT');
    const plaintext = randomBytes(190);
    const oaepHash = algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256';
    const key = nodeKey(publicKeyOf(bound));
    const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
    expect(Buffer.from(await keys.decryptWithPrivateKey(bound, algorithm, sealed))).toEqual(plaintext);
    for (const wrong of [sealed.subarray(1), randomBytes(256), new Uint8Array(256).fill(0xff), new Uint8Array(1)]) {
      expect(await kindOf(keys.decryptWithPrivateKey(bound, algorithm, wrong))).toBe('invalid-ciphertext');
    }
  });

  it('no RSAES_OAEP ciphertext opens without its leading zero', async () => {
    const bound = await create('RSA_2048', 'ENCRYPT_DECRYPT');
    const key = { key: nodeKey(publicKeyOf(bound)), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    const plaintext = randomBytes(32);
    let sealed = publicEncrypt(key, plaintext);
    for (let attempts = 1; sealed[0] !== 0 && attempts < 20_000; attempts += 1) sealed = publicEncrypt(key, plaintext);
    expect(sealed[0]).toBe(0);
    expect(Buffer.from(await keys.decryptWithPrivateKey(bound, 'RSAES_OAEP_SHA_256', sealed))).toEqual(plaintext);
    expect(await kindOf(keys.decryptWithPrivateKey(bound, 'RSAES_OAEP_SHA_256', sealed.subarray(1)))).toBe('invalid-ciphertext');
  });

  it.each(specsFor('KEY_AGREEMENT').filter((spec) => spec !== 'SM2'))(
    '%s agrees with a pair of OpenSSL on the same secret',
    async (keySpec) => {
      const bound = await create(keySpec, 'KEY_AGREEMENT');
      const shape = keyShape(keySpec);
      const peer = generateKeyPairSync('ec', { namedCurve: shape.type === 'ec' ? shape.curve : '' });
      const secret = await keys.agree(bound, peer.publicKey.export({ format: 'der', type: 'spki' }));
      expect(Buffer.from(secret)).toEqual(diffieHellman({ privateKey: peer.privateKey, publicKey: nodeKey(publicKeyOf(bound)) }));
      expect(secret.length).toBe({ ECC_NIST_P256: 32, ECC_NIST_P384: 48, ECC_NIST_P521: 66 }[keySpec]);
    },
  );

  it.each(specsFor('ENCAPSULATE_DECAPSULATE'))(
    '%s decapsulates what was encapsulated to it, and another secret from another text',
    async (keySpec) => {
      const bound = await create(keySpec, 'ENCAPSULATE_DECAPSULATE');
      const { sharedSecret, ciphertext } = encapsulateTo(publicKeyOf(bound), keySpec);
      expect(Buffer.from(await keys.decapsulate(bound, ciphertext))).toEqual(Buffer.from(sharedSecret));
      const changed = Uint8Array.from(ciphertext);
      changed[0] = (changed[0] ?? 0) ^ 1;
      const rejected = await keys.decapsulate(bound, changed);
      expect(rejected.length).toBe(32);
      expect(Buffer.from(rejected)).not.toEqual(Buffer.from(sharedSecret));
      expect(await kindOf(keys.decapsulate(bound, ciphertext.subarray(1)))).toBe('invalid-ciphertext');
    },
  );

  it.each(specsFor('GENERATE_VERIFY_MAC'))('%s authenticates under one key, with the whole digest', async (keySpec) => {
    const bound = await create(keySpec, 'GENERATE_VERIFY_MAC');
    const algorithm = keyAlgorithms(keySpec, 'GENERATE_VERIFY_MAC')[0] ?? '';
    const mac = await keys.mac(bound, algorithm, Buffer.from('message'));
    expect(mac.length).toBe(Number(keySpec.slice(-3)) / 8);
    expect(Buffer.from(await keys.mac(bound, algorithm, Buffer.from('message')))).toEqual(Buffer.from(mac));
    expect(Buffer.from(await keys.mac(bound, algorithm, Buffer.from('massage')))).not.toEqual(Buffer.from(mac));
    const other = await create(keySpec, 'GENERATE_VERIFY_MAC');
    expect(Buffer.from(await keys.mac(other, algorithm, Buffer.from('message')))).not.toEqual(Buffer.from(mac));
  });

  it('are not used under another key, usage or record', async () => {
    const [bound, other] = [await create('HMAC_256', 'GENERATE_VERIFY_MAC'), await create('HMAC_256', 'GENERATE_VERIFY_MAC')];
    const pair = await create('ECC_NIST_P256', 'SIGN_VERIFY');
    const mac = async (changed: BoundKey): Promise<string> => kindOf(keys.mac(changed, 'HMAC_SHA_256', Uint8Array.of(1)));
    expect(await mac({ ...bound, key: other.key })).toBe('internal');
    expect(await mac({ ...bound, key: { ...bound.key, keySpec: 'HMAC_384' } })).toBe('internal');
    expect(await mac({ ...bound, material: { ...bound.material, reference: other.material.reference } })).toBe('internal');
    expect(await mac({ ...bound, material: { ...bound.material, fingerprint: other.material.fingerprint } })).toBe('internal');
    expect(await mac(bound)).toBe('no error');
    const agreement = { ...pair, key: { ...pair.key, keyUsage: 'KEY_AGREEMENT' as const } };
    expect(await kindOf(keys.agree(agreement, publicKeyOf(pair)))).toBe('internal');
    const swapped = { ...pair, material: { ...pair.material, publicKey: publicKeyOf(await create('ECC_NIST_P256', 'SIGN_VERIFY')) } };
    const request = { algorithm: 'ECDSA_SHA_256', messageType: 'RAW', message: Uint8Array.of(1) } as const;
    expect(await kindOf(keys.sign(swapped, request))).toBe('internal');
  });
});
