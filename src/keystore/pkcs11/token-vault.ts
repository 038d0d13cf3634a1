/** A PKCS#11 token as a vault of symmetric materials: `SymmetricCipher`'s wishes in terms of token calls. */
import type { CiphertextSuite } from '../../keys/key-record.ts';
import { ivBytes } from '../../keys/ciphertext-blob.ts';
import type { Mechanism } from '../../token/mechanism.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { BoundMaterial } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { MaterialVault, SealedBytes } from '../symmetric/material-vault.ts';
import type { SharedKey } from '../symmetric/shared-key.ts';
import { deriveEpochKey, isTokenSuite } from './derivation.ts';
import type { TokenSuite } from './derivation.ts';
import { onOwnData } from './key-store-error.ts';
import type { MaterialPlaces } from './material-places.ts';
import { symmetricKind } from './symmetric-kind.ts';

export class TokenVault implements MaterialVault<TokenObject> {
  readonly makesIvs: boolean;
  readonly #token: Token;
  readonly #places: MaterialPlaces;

  constructor(token: Token, places: MaterialPlaces) {
    this.#token = token;
    this.#places = places;
    this.makesIvs = token.capabilities.gcmIvSource !== 'supplied';
  }

  isCurrent(key: TokenObject): boolean {
    return this.#token.isCurrent(key);
  }

  openMaterial(bound: BoundMaterial): Promise<SharedKey<TokenObject>> {
    return this.#places.open(bound, symmetricKind(tokenSuite(bound.material.suite)));
  }

  async deriveEpochKey(material: TokenObject, suite: CiphertextSuite, nonce: Uint8Array): Promise<SharedKey<TokenObject>> {
    return this.#places.sessionKey(await onOwnData(deriveEpochKey(this.#token, material, tokenSuite(suite), nonce)));
  }

  async encrypt(key: TokenObject, iv: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Promise<SealedBytes> {
    const output = await this.#token.encrypt(this.#gcm(iv, additionalData), key, plaintext);
    // A token that makes its own IV returns it before the ciphertext.
    return this.makesIvs ? { iv: output.subarray(0, ivBytes), sealed: output.subarray(ivBytes) } : { iv, sealed: output };
  }

  async decrypt(key: TokenObject, iv: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
    return this.#token.decrypt({ name: 'AES_GCM', iv, aad: additionalData, tagBits: 128, ivSource: 'supplied' }, key, sealed);
  }

  #gcm(iv: Uint8Array, aad: Uint8Array): Mechanism {
    return { name: 'AES_GCM', iv, aad, tagBits: 128, ivSource: this.#token.capabilities.gcmIvSource };
  }
}

function tokenSuite(suite: CiphertextSuite): TokenSuite {
  if (isTokenSuite(suite)) return suite;
  throw new KeyStoreError('unsupported', `This release cannot use key materials of the suite "${suite}"`);
}
