/**
 * Hybrid public key encryption in mode Auth, one message per encapsulation (RFC 9180, sections 4.1, 5.1.3 and 6.1): DHKEM(X25519,
 * HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. Whoever opens knows who sealed. Knows nothing of key stores.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';

/** Length of a private or public key, and of an encapsulated key. */
export const hpkeKeyBytes = 32;
const secretBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const modeAuth = 2;
const label = Buffer.from('HPKE-v1', 'latin1');
const kemSuite = Buffer.from([...Buffer.from('KEM', 'latin1'), 0x00, 0x20]);
const suite = Buffer.from([...Buffer.from('HPKE', 'latin1'), 0x00, 0x20, 0x00, 0x01, 0x00, 0x03]);
const nothing: Uint8Array = new Uint8Array(0);
/** RFC 8410: what stands before the 32 bytes of an X25519 key in DER. */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');

/** What both sides agree on besides their keys. */
export interface HpkeContext {
  readonly info: Uint8Array;
  readonly additionalData: Uint8Array;
}

/** The private key of `ikm`, at least 32 secret bytes (DeriveKeyPair, section 7.1.3). */
export function derivePrivateKey(ikm: Uint8Array): KeyObject {
  const extracted = labeledExtract(kemSuite, nothing, 'dkp_prk', ikm);
  const bytes = labeledExpand(kemSuite, extracted, 'sk', nothing, hpkeKeyBytes);
  try {
    return privateKeyOf(bytes);
  } finally {
    bytes.fill(0);
    extracted.fill(0);
  }
}

/** A private key from its 32 bytes, which stay the caller's to wipe. */
export function privateKeyOf(bytes: Uint8Array): KeyObject {
  const der = Buffer.concat([pkcs8Prefix, bytes]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/** DER SubjectPublicKeyInfo of the public half. */
export function publicKeyOf(privateKey: KeyObject): Uint8Array {
  return Uint8Array.from(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
}

/**
 * Encapsulated key, then ciphertext and tag. Public keys are DER SubjectPublicKeyInfo. `ephemeral` is a fresh private key, for this call
 * only. Throws Error for a public key that is none of X25519.
 */
export function sealAuthenticated(
  sender: KeyObject,
  recipient: Uint8Array,
  ephemeral: KeyObject,
  { info, additionalData }: HpkeContext,
  plaintext: Uint8Array,
): Uint8Array {
  const encapsulated = bareKey(publicKeyOf(ephemeral));
  const names = Buffer.concat([encapsulated, bareKey(recipient), bareKey(publicKeyOf(sender))]);
  const publicKey = publicKeyFrom(recipient);
  return withKey([secretOf(ephemeral, publicKey), secretOf(sender, publicKey)], names, info, (key, nonce) => {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(additionalData, { plaintextLength: plaintext.length });
    return Buffer.concat([encapsulated, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  });
}

/** The plaintext, which the caller wipes. Throws Error when anything of it is not as it was sealed, or another sender sealed it. */
export function openAuthenticated(
  recipient: KeyObject,
  sender: Uint8Array,
  { info, additionalData }: HpkeContext,
  message: Uint8Array,
): Uint8Array {
  if (message.length < hpkeKeyBytes + tagBytes) throw new Error('The message is too short');
  const encapsulated = message.subarray(0, hpkeKeyBytes);
  const sealed = message.subarray(hpkeKeyBytes, -tagBytes);
  const names = Buffer.concat([encapsulated, bareKey(publicKeyOf(recipient)), bareKey(sender)]);
  const ephemeral = publicKeyFrom(Buffer.concat([spkiPrefix, encapsulated]));
  return withKey([secretOf(recipient, ephemeral), secretOf(recipient, publicKeyFrom(sender))], names, info, (key, nonce) => {
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(additionalData, { plaintextLength: sealed.length }).setAuthTag(message.subarray(-tagBytes));
    const plaintext = decipher.update(sealed);
    try {
      decipher.final();
      return plaintext;
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  });
}

/** Lends key and nonce of the first and only message. Wipes all that they were made of, the two shared secrets included. */
function withKey<T>(
  shared: readonly [Buffer, Buffer],
  names: Uint8Array,
  info: Uint8Array,
  use: (key: Uint8Array, nonce: Uint8Array) => T,
): T {
  const secrets: Buffer[] = [...shared];
  const kept = (bytes: Buffer): Buffer => {
    secrets.push(bytes);
    return bytes;
  };
  try {
    const extracted = kept(labeledExtract(kemSuite, nothing, 'eae_prk', kept(Buffer.concat(shared))));
    const sharedSecret = kept(labeledExpand(kemSuite, extracted, 'shared_secret', names, secretBytes));
    const noKeyHash = labeledExtract(suite, nothing, 'psk_id_hash', nothing);
    const context = Buffer.concat([Uint8Array.of(modeAuth), noKeyHash, labeledExtract(suite, nothing, 'info_hash', info)]);
    const secret = kept(labeledExtract(suite, sharedSecret, 'secret', nothing));
    const key = kept(labeledExpand(suite, secret, 'key', context, secretBytes));
    return use(key, kept(labeledExpand(suite, secret, 'base_nonce', context, nonceBytes)));
  } finally {
    for (const bytes of secrets) bytes.fill(0);
  }
}

function secretOf(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  return diffieHellman({ privateKey, publicKey });
}

function publicKeyFrom(der: Uint8Array): KeyObject {
  bareKey(der);
  return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
}

function bareKey(der: Uint8Array): Uint8Array {
  const bare = der.subarray(spkiPrefix.length);
  if (bare.length === hpkeKeyBytes && spkiPrefix.equals(der.subarray(0, spkiPrefix.length))) return bare;
  throw new Error('The public key is none of X25519');
}

function labeledExtract(suiteId: Uint8Array, salt: Uint8Array, name: string, ikm: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(label).update(suiteId).update(name, 'latin1').update(ikm).digest();
}

/** Of at most 32 bytes: one block of HKDF-Expand. */
function labeledExpand(suiteId: Uint8Array, key: Uint8Array, name: string, info: Uint8Array, lengthBytes: number): Buffer {
  return createHmac('sha256', key)
    .update(Uint8Array.of(0, lengthBytes))
    .update(label)
    .update(suiteId)
    .update(name, 'latin1')
    .update(info)
    .update(Uint8Array.of(1))
    .digest()
    .subarray(0, lengthBytes);
}
