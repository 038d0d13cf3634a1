/**
 * Materials that live in the metadata store (residency `wrapped`): generated in the token, wrapped there under its wrapping
 * key, and unwrapped into session objects for use. A MAC made in the token binds each record to its key.
 */
import { equalConstantTime, toHex } from '../../bytes.ts';
import type { Custody } from '../../keys/key-record.ts';
import { materialIdOf } from '../../keys/material-id.ts';
import type { Mechanism } from '../../token/mechanism.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { BoundMaterial, MaterialRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { MaterialBinding } from '../material-binding.ts';
import { symmetricSpec } from '../material-binding.ts';
import { destroySessionObject, fingerprintOf, proveMaterial, withSessionObject } from './derivation.ts';
import type { ExportedKeyToken, KeyWrapAlgorithm } from './exported-key-token.ts';
import { encodeExportedKey, macInput, parseExportedKey } from './exported-key-token.ts';
import { isRefusal } from './key-store-error.ts';
import { exportableTemplate, generationMechanism, unwrappedTemplate } from './material-templates.ts';
import type { TokenSuite } from './material-templates.ts';
import type { CreatedMaterial } from './resident-materials.ts';
import type { ServiceKeys, WrappingKey } from './service-keys.ts';
import { findServiceKeys, keyWrapAlgorithm } from './service-keys.ts';

export class WrappedMaterials {
  readonly #token: Token;
  #keys: Promise<ServiceKeys> | undefined;

  constructor(token: Token) {
    this.#token = token;
  }

  /** Wrapping and MAC keys of the token, found once for each of its lives. */
  async serviceKeys(): Promise<ServiceKeys> {
    const keys = (this.#keys ??= findServiceKeys(this.#token));
    try {
      return await keys;
    } catch (error) {
      if (this.#keys === keys) this.#keys = undefined;
      throw error;
    }
  }

  /** Forgets the handles of an earlier life of the token. */
  relist(): void {
    this.#keys = undefined;
  }

  /** Makes only session objects, so it is safe to run twice. */
  async create(request: MaterialRequest, suite: TokenSuite, custody: Custody): Promise<CreatedMaterial> {
    const keys = await this.serviceKeys();
    // With the PIN, but without the security officer, anyone can put another key in the place of the wrapping key.
    if (custody === 'full' && !(keys.current.trusted && keys.current.wrapsOnly)) throw strangeWrappingKey();
    const exported = await this.#generateWrapped(suite, keys.current);
    const object = await this.#unwrap(exported, keys.current, suite);
    const fingerprint = await withSessionObject(this.#token, object, (key) => fingerprintOf(this.#token, key, suite));
    const materialId = materialIdOf(request.key.keyId, fingerprint);
    const body = encodeExportedKey(exported);
    const mac = await this.#mac(keys, body, { key: request.key, ...symmetricSpec, suite, custody, materialId, fingerprint });
    return { materialId, fingerprint, reference: Buffer.concat([body, mac]) };
  }

  /** Verifies the record, unwraps it into a session object and proves that this is the material. */
  async open(bound: BoundMaterial, suite: TokenSuite): Promise<TokenObject> {
    const { custody, materialId, fingerprint, reference } = bound.material;
    const keys = await this.serviceKeys();
    const record = parseExportedKey(reference);
    if (record === undefined) throw alteredRecord();
    const mac = await this.#mac(keys, record.body, { key: bound.key, ...symmetricSpec, suite, custody, materialId, fingerprint });
    if (!equalConstantTime(mac, record.mac)) throw alteredRecord();
    const wrappingKey = keys.wrapping.get(toHex(record.exported.wrappingKeyId));
    if (wrappingKey === undefined)
      throw new KeyStoreError('material-missing', 'The token does not show the wrapping key of this key material now');
    const object = await this.#unwrap(record.exported, wrappingKey, suite);
    try {
      await proveMaterial(this.#token, object, suite, bound);
      return object;
    } catch (error) {
      await destroySessionObject(this.#token, object);
      throw error;
    }
  }

  /** What a thief of the PIN would try: a key unwrapped so that it can be taken out. Resolves to whether the wrapping key prevents it. */
  async unwrapsIntoCustody(): Promise<boolean> {
    const { current } = await this.serviceKeys();
    const exported = await this.#generateWrapped('derived-aes-cbc-data', current);
    const readable = { ...unwrappedTemplate('derived-aes-cbc-data'), SENSITIVE: false, EXTRACTABLE: true };
    const attempt = this.#token.unwrapKey(this.#mechanism(exported.algorithm), current.object, exported.wrapped, readable, [
      'SENSITIVE',
      'EXTRACTABLE',
    ]);
    const outcome = await attempt.catch((error: unknown) => (isRefusal(error) ? undefined : Promise.reject(error)));
    if (outcome === undefined) return true;
    await destroySessionObject(this.#token, outcome.object);
    return outcome.attributes.EXTRACTABLE === false && outcome.attributes.SENSITIVE === true;
  }

  async #generateWrapped(suite: TokenSuite, wrappingKey: WrappingKey): Promise<ExportedKeyToken> {
    const algorithm = keyWrapAlgorithm(this.#token);
    if (algorithm === undefined) throw new KeyStoreError('unsupported', 'The token cannot wrap keys (AES-KW or AES-KWP)');
    const template = exportableTemplate(suite, wrappingKey.trusted);
    const { object, attributes } = await this.#token.generateKey(generationMechanism, template, ['WRAP_WITH_TRUSTED']);
    return withSessionObject(this.#token, object, async (key) => {
      if (wrappingKey.trusted && this.#token.capabilities.honoursWrapWithTrusted && attributes.WRAP_WITH_TRUSTED !== true) {
        throw new KeyStoreError('refused', 'The token made a key that any wrapping key could take out; it was destroyed');
      }
      const wrapped = await this.#token.wrapKey(this.#mechanism(algorithm), wrappingKey.object, key);
      return { algorithm, wrappingKeyId: wrappingKey.id, wrapped };
    });
  }

  async #unwrap(exported: ExportedKeyToken, wrappingKey: WrappingKey, suite: TokenSuite): Promise<TokenObject> {
    const mechanism = this.#mechanism(exported.algorithm);
    const { object } = await this.#token.unwrapKey(mechanism, wrappingKey.object, exported.wrapped, unwrappedTemplate(suite));
    return object;
  }

  #mechanism(algorithm: KeyWrapAlgorithm): Mechanism {
    if (algorithm === 'AES-KW') return { name: 'AES_KEY_WRAP' };
    const { kwp } = this.#token.capabilities;
    if (kwp === undefined)
      throw new KeyStoreError('unsupported', 'The token cannot unwrap AES-KWP, which this key material is wrapped with');
    return { name: kwp };
  }

  async #mac(keys: ServiceKeys, body: Uint8Array, binding: MaterialBinding): Promise<Uint8Array> {
    return this.#token.sign({ name: 'SHA256_HMAC' }, keys.recordMac, macInput(body, binding));
  }
}

function strangeWrappingKey(): KeyStoreError {
  return new KeyStoreError(
    'refused',
    'The wrapping key of the token is not the one that was examined at start: see who changed it, then start the service again',
  );
}

function alteredRecord(): KeyStoreError {
  return new KeyStoreError('internal', 'The record of this key material was altered or belongs to another key; it is not used');
}
