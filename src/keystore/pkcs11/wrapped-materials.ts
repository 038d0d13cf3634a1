/**
 * Materials that live in the metadata store (residency `wrapped`): generated in the token, wrapped there under its wrapping
 * key, and unwrapped into session objects for use. A MAC made in the token binds each record to its key.
 */
import { equalConstantTime, toHex } from '../../bytes.ts';
import type { Custody, MaterialRecord } from '../../keys/key-record.ts';
import type { Mechanism } from '../../token/mechanism.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { BoundMaterial, MaterialRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { MaterialBinding } from '../material-binding.ts';
import { destroySessionObject, withSessionObject } from './derivation.ts';
import type { ExportedKeyToken, KeyWrapAlgorithm } from './exported-key-token.ts';
import { encodeExportedKey, macInput, parseExportedKey } from './exported-key-token.ts';
import { isRefusal } from './key-store-error.ts';
import { identify, proveMaterial } from './material-kind.ts';
import type { CreatedMaterial, MaterialKind, TokenKey } from './material-kind.ts';
import { exportableTemplate, unwrappedTemplate } from './material-templates.ts';
import type { ServiceKeys, WrappingKey } from './service-keys.ts';
import { findServiceKeys, keyWrapAlgorithm } from './service-keys.ts';
import { symmetricKind } from './symmetric-kind.ts';

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
  async create(request: MaterialRequest, kind: MaterialKind, custody: Custody): Promise<CreatedMaterial> {
    const { current } = await this.#keysFor(custody);
    const key = await this.#generate(kind, current);
    return withSessionObject(this.#token, key.object, () => this.keep(request, kind, custody, key));
  }

  /** Makes a material of a key that the wrapping key may wrap, and that proves itself after its return. `key` stays the caller's. */
  async keep(request: MaterialRequest, kind: MaterialKind, custody: Custody, key: TokenKey): Promise<CreatedMaterial> {
    const keys = await this.#keysFor(custody);
    const exported = await this.#wrap(key.object, keys.current);
    const back = await this.#unwrap(exported, keys.current, kind);
    const identity = await withSessionObject(this.#token, back, (object) =>
      identify(this.#token, kind, request.key.keyId, { ...key, object }),
    );
    const { materialId, fingerprint } = identity;
    const body = encodeExportedKey(exported);
    const mac = await this.#mac(keys, body, { key: request.key, ...kind.binding, custody, materialId, fingerprint });
    return { ...identity, reference: Buffer.concat([body, mac]) };
  }

  /** Verifies the record, unwraps it into a session object and proves that this is the material. */
  async open(bound: BoundMaterial<MaterialRecord>, kind: MaterialKind): Promise<TokenObject> {
    const { custody, materialId, fingerprint, reference } = bound.material;
    const keys = await this.serviceKeys();
    const record = parseExportedKey(reference);
    if (record === undefined) throw alteredRecord();
    const mac = await this.#mac(keys, record.body, { key: bound.key, ...kind.binding, custody, materialId, fingerprint });
    if (!equalConstantTime(mac, record.mac)) throw alteredRecord();
    const wrappingKey = keys.wrapping.get(toHex(record.exported.wrappingKeyId));
    if (wrappingKey === undefined)
      throw new KeyStoreError('material-missing', 'The token does not show the wrapping key of this key material now');
    const object = await this.#unwrap(record.exported, wrappingKey, kind);
    try {
      await proveMaterial(this.#token, kind, object, bound);
      return object;
    } catch (error) {
      await destroySessionObject(this.#token, object);
      throw error;
    }
  }

  /** What a thief of the PIN would try: a key unwrapped so that it can be taken out. Resolves to whether the wrapping key prevents it. */
  async unwrapsIntoCustody(): Promise<boolean> {
    const { current } = await this.serviceKeys();
    const kind = symmetricKind('derived-aes-cbc-data');
    const sample = await this.#generate(kind, current);
    const exported = await withSessionObject(this.#token, sample.object, (object) => this.#wrap(object, current));
    const readable = { ...unwrappedTemplate(kind), SENSITIVE: false, EXTRACTABLE: true };
    const attempt = this.#token.unwrapKey(this.#mechanism(exported.algorithm), current.object, exported.wrapped, readable, [
      'SENSITIVE',
      'EXTRACTABLE',
    ]);
    const outcome = await attempt.catch((error: unknown) => (isRefusal(error) ? undefined : Promise.reject(error)));
    if (outcome === undefined) return true;
    await destroySessionObject(this.#token, outcome.object);
    return outcome.attributes.EXTRACTABLE === false && outcome.attributes.SENSITIVE === true;
  }

  async #keysFor(custody: Custody): Promise<ServiceKeys> {
    const keys = await this.serviceKeys();
    const { trusted, wrapsOnly } = keys.current;
    // With the PIN, but without the security officer, anyone can put another key in the place of the wrapping key.
    if (custody === 'full' && !(trusted && wrapsOnly)) throw strangeWrappingKey();
    return keys;
  }

  async #generate(kind: MaterialKind, wrappingKey: WrappingKey): Promise<TokenKey> {
    const key = await kind.generate(this.#token, exportableTemplate(kind, wrappingKey.trusted), ['WRAP_WITH_TRUSTED']);
    if (wrappingKey.trusted && this.#token.capabilities.honoursWrapWithTrusted && key.attributes.WRAP_WITH_TRUSTED !== true) {
      await destroySessionObject(this.#token, key.object);
      throw new KeyStoreError('refused', 'The token made a key that any wrapping key could take out; it was destroyed');
    }
    return key;
  }

  async #wrap(object: TokenObject, wrappingKey: WrappingKey): Promise<ExportedKeyToken> {
    const algorithm = keyWrapAlgorithm(this.#token);
    if (algorithm === undefined) throw new KeyStoreError('unsupported', 'The token cannot wrap keys (AES-KW or AES-KWP)');
    const wrapped = await this.#token.wrapKey(this.#mechanism(algorithm), wrappingKey.object, object);
    return { algorithm, wrappingKeyId: wrappingKey.id, wrapped };
  }

  async #unwrap(exported: ExportedKeyToken, wrappingKey: WrappingKey, kind: MaterialKind): Promise<TokenObject> {
    const mechanism = this.#mechanism(exported.algorithm);
    const { object } = await this.#token.unwrapKey(mechanism, wrappingKey.object, exported.wrapped, unwrappedTemplate(kind));
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
