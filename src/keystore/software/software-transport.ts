/**
 * Materials of multi-Region keys between software key stores, and between the Regions of one: sealed by HPKE for the transport key of the
 * receiver, authenticated by that of the sender. A store's transport key is derived from its root key, so that no record holds one.
 */
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { SecretBytes } from '../../secret-bytes.ts';
import { KeyStoreError } from '../keystore.ts';
import type { TransportPeers } from '../keystore.ts';
import type { MaterialBinding } from '../material-binding.ts';
import { encodeBinding } from '../material-binding.ts';
import { derivePrivateKey, openAuthenticated, publicKeyOf, sealAuthenticated, type HpkeContext } from './hpke.ts';

const keyPurpose = 'hsm-kms transport key of a software store v1';
const materialPurpose = 'hsm-kms transported software material v1';
/** Ids of multi-Region keys begin so; those of no other key do. The material is bound to the id. */
const multiRegionPrefix = 'mrk-';

export class SoftwareTransport {
  readonly #name: string;
  readonly #rootKey: SecretBytes;
  readonly #peers: TransportPeers | undefined;

  /** Without `peers` the store is only the other end of itself. */
  constructor(name: string, rootKey: SecretBytes, peers: TransportPeers | undefined) {
    this.#name = name;
    this.#rootKey = rootKey;
    this.#peers = peers;
  }

  /** DER SubjectPublicKeyInfo of an X25519 key. */
  publicKey(): Uint8Array {
    return publicKeyOf(this.#privateKey());
  }

  /** Rejects with KeyStoreError `refused` for a store that is not pinned and for materials of keys that are not multi-Region. */
  async wrap(secret: Uint8Array, binding: MaterialBinding, to: string): Promise<Uint8Array> {
    if (!binding.key.keyId.startsWith(multiRegionPrefix)) {
      throw new KeyStoreError('refused', 'The key material does not leave its key store: the key is not a multi-Region key.');
    }
    const recipient = await this.#publicKeyOf(to);
    const { privateKey: ephemeral } = generateKeyPairSync('x25519');
    return sealAuthenticated(this.#privateKey(), recipient, ephemeral, contextOf(binding, this.#name, to), secret);
  }

  /** The bytes, which the caller wipes. Rejects with `refused` as `wrap` does, with `internal` when it was not wrapped so. */
  async unwrap(wrapped: Uint8Array, binding: MaterialBinding, from: string): Promise<Uint8Array> {
    const sender = await this.#publicKeyOf(from);
    try {
      return openAuthenticated(this.#privateKey(), sender, contextOf(binding, from, this.#name), wrapped);
    } catch (error) {
      throw new KeyStoreError('internal', `Key material from ${from} does not open; it is not used`, { cause: error });
    }
  }

  async #publicKeyOf(name: string): Promise<Uint8Array> {
    if (name === this.#name) return this.publicKey();
    if (this.#peers !== undefined) return this.#peers.publicKeyOf(name);
    throw new KeyStoreError('refused', `The key store ${this.#name} exchanges no key material with ${name}.`);
  }

  #privateKey(): KeyObject {
    // The root key is the message, not the key: OpenSSL keeps a copy of a key until the HMAC is collected.
    const ikm = this.#rootKey.expose((bytes) => createHmac('sha256', keyPurpose).update(bytes).digest());
    try {
      return derivePrivateKey(ikm);
    } finally {
      ikm.fill(0);
    }
  }
}

/** Names of key stores have no control characters, so no two pairs of them read the same. */
function contextOf(binding: MaterialBinding, from: string, to: string): HpkeContext {
  return { info: Buffer.from([materialPurpose, from, to].join('\0'), 'utf8'), additionalData: encodeBinding(materialPurpose, binding) };
}
