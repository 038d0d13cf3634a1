/**
 * A token in memory for key store tests: real AES, HMAC and curves from node:crypto behind the `Token` interface. Strict where
 * tokens are lax: usage flags, extractability and allowed mechanisms are enforced, an object that is destroyed under a
 * running call is a test failure (`violations`). Faults are injected by method, lives are ended by `renew`.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { agree, makePair, signWithPair } from './fake-pairs.ts';
import type { AttributeName, Mechanism, Template } from '../../src/token/mechanism.ts';
import { TokenError } from '../../src/token/token-error.ts';
import type { Capabilities, DescribedObject, HandleEpoch, Token, TokenHealth, TokenObject } from '../../src/token/token.ts';

interface StoredObject {
  readonly template: Template;
  readonly value: Buffer;
  calls: number;
}

type Method =
  | 'encrypt'
  | 'decrypt'
  | 'sign'
  | 'generateKey'
  | 'generateKeyPair'
  | 'wrapKey'
  | 'unwrapKey'
  | 'deriveKey'
  | 'findObjects'
  | 'destroyObject'
  | 'random';

/** An HSM without RSA that can and enforces everything else, and takes the caller's IVs. */
export const capableToken: Capabilities = {
  aesGcm: true,
  gcmIvSource: 'supplied',
  keyDerivation: 'aes-cbc-encrypt-data',
  kwp: 'AES_KEY_WRAP_KWP',
  aesKeyWrap: true,
  hmacSha256: true,
  aesCbc: true,
  rsaOaepSha1: false,
  rsaOaepSha256: false,
  honoursExtractable: true,
  honoursWrapWithTrusted: true,
  honoursUnwrapAttributes: true,
  enforcesUnwrapTemplate: true,
  copyKeepsCustody: true,
  sessionKeys: true,
  rsaPkcs1: false,
  rsaPss: [],
  rsaRawSign: false,
  rsaRawDecrypt: false,
  ecdsa: ['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'],
  ecdh: ['prime256v1', 'secp384r1', 'secp521r1'],
  ed25519: true,
  ed25519ph: true,
  hmac: ['SHA224', 'SHA256', 'SHA384', 'SHA512'],
  wrapsPrivate: ['EC', 'EC_EDWARDS'],
};

const recoverable: ReadonlySet<string> = new Set(['handle', 'session', 'login', 'device']);

export class FakeToken implements Token {
  readonly name = 'fake';
  readonly slot = {
    slotId: '1',
    tokenPresent: true,
    label: 'fake',
    manufacturer: 'test',
    model: 'memory',
    serial: '1',
    flags: 0,
    sessionsMax: undefined,
    pinBytesMin: 4,
    pinBytesMax: 64,
  };
  readonly capabilities: Capabilities;
  health: TokenHealth = 'ready';
  /** Misuses of handles that a token would turn into something worse than an error. */
  readonly violations: string[] = [];
  /** Hosts in their grace period. */
  replacedHosts = 0;
  /** How often each method was called. */
  readonly counts: Record<Method, number> = {
    encrypt: 0,
    decrypt: 0,
    sign: 0,
    generateKey: 0,
    generateKeyPair: 0,
    wrapKey: 0,
    unwrapKey: 0,
    deriveKey: 0,
    findObjects: 0,
    destroyObject: 0,
    random: 0,
  };
  /** IVs of every encryption by key value, to prove that none repeats. */
  readonly ivsByKey = new Map<string, Set<string>>();
  #epoch: HandleEpoch = { generation: 1, login: 1 };
  #handles = 0;
  #objects = new Map<number, StoredObject>();
  readonly #listeners = new Set<() => void>();
  readonly #faults: { method: Method; error: TokenError; left: number }[] = [];
  #hidden = false;

  constructor(capabilities: Partial<Capabilities> = {}) {
    this.capabilities = { ...capableToken, ...capabilities };
  }

  get epoch(): HandleEpoch {
    return this.#epoch;
  }

  /** Session objects that exist now. */
  get sessionObjects(): readonly Template[] {
    return [...this.#objects.values()].map(({ template }) => template).filter(({ TOKEN }) => TOKEN !== true);
  }

  get tokenObjects(): readonly Template[] {
    return [...this.#objects.values()].map(({ template }) => template).filter(({ TOKEN }) => TOKEN === true);
  }

  /** The next `times` calls of the method fail. */
  fail(method: Method, error: TokenError, times = 1): void {
    this.#faults.push({ method, error, left: times });
  }

  /** Searches find nothing and generation of token objects fails, as on a token that cannot read its storage. */
  hideStorage(hidden: boolean): void {
    this.#hidden = hidden;
  }

  /** Ends this life of the token: session objects vanish, handles are worthless. */
  renew(): void {
    this.#epoch = { generation: this.#epoch.generation + 1, login: 1 };
    const kept = [...this.#objects.values()].filter(({ template }) => template.TOKEN === true);
    this.#objects = new Map(kept.map((object) => [(this.#handles += 1), object]));
    for (const listener of this.#listeners) listener();
  }

  /** An object that somebody else destroys. */
  loseTokenObjects(): void {
    for (const [handle, { template }] of this.#objects)
      if (template.TOKEN === true && template.LABEL?.length === 16) this.#objects.delete(handle);
  }

  /** What provisioning with the SO PIN does: any object, any attribute. */
  install(template: Template): void {
    this.#store(template, randomBytes(32));
  }

  /** Somebody else destroys what has these attributes. */
  remove(template: Template): void {
    for (const [handle, object] of this.#objects) if (hasAttributes(object, template)) this.#objects.delete(handle);
  }

  isCurrent(object: TokenObject): boolean {
    return object.epoch === this.#epoch;
  }

  onEpochChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async recovering<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof TokenError)) throw error;
        if (error.kind === 'unclear') throw new TokenError('input', error.message, { cause: error });
        if (!recoverable.has(error.kind)) throw error;
        if (attempt === 3) throw new TokenError('unavailable', 'The token did not recover', { cause: error });
        this.renew();
      }
    }
  }

  async encrypt(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array> {
    return this.#with('encrypt', key, 'ENCRYPT', mechanism, (value) => {
      if (data.length === 0) throw new TokenError('input', 'empty data');
      if (mechanism.name === 'AES_CBC') return finish(createCipheriv('aes-256-cbc', value, mechanism.iv).setAutoPadding(false), data);
      if (mechanism.name !== 'AES_GCM') throw new TokenError('unsupported', mechanism.name);
      const iv = mechanism.ivSource === 'supplied' ? mechanism.iv : randomBytes(12);
      this.#recordIv(value, iv);
      const cipher = createCipheriv('aes-256-gcm', value, iv).setAAD(mechanism.aad);
      const sealed = Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
      return mechanism.ivSource === 'supplied' ? sealed : Buffer.concat([iv, sealed]);
    });
  }

  async decrypt(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array> {
    return this.#with('decrypt', key, 'DECRYPT', mechanism, (value) => {
      if (mechanism.name !== 'AES_GCM') throw new TokenError('unsupported', mechanism.name);
      const tagAt = data.length - 16;
      const decipher = createDecipheriv('aes-256-gcm', value, mechanism.iv, { authTagLength: 16 });
      decipher.setAAD(mechanism.aad).setAuthTag(data.subarray(tagAt));
      try {
        return Buffer.concat([decipher.update(data.subarray(0, tagAt)), decipher.final()]);
      } catch {
        throw new TokenError('unclear', 'C_Decrypt returned CKR_GENERAL_ERROR');
      }
    });
  }

  async sign(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array> {
    return this.#with('sign', key, 'SIGN', mechanism, (value, template) => {
      const digest = /^SHA(\d+)_HMAC$/.exec(mechanism.name)?.[1];
      if (digest !== undefined) return createHmac(`sha${digest}`, value).update(data).digest();
      return signWithPair(mechanism, template, value, data);
    });
  }

  async generateKey(_mechanism: Mechanism, template: Template): Promise<DescribedObject> {
    await this.#enter('generateKey');
    if (this.#hidden && template.TOKEN === true) throw new TokenError('unclear', 'C_GenerateKey returned CKR_GENERAL_ERROR');
    if (template.VALUE_LEN === undefined) throw new TokenError('input', 'C_GenerateKey needs CKA_VALUE_LEN');
    const value = randomBytes(template.VALUE_LEN);
    return this.#store(template.SENSITIVE === false ? { ...template, VALUE: Uint8Array.from(value) } : template, value);
  }

  async generateKeyPair(
    _mechanism: Mechanism,
    publicTemplate: Template,
    privateTemplate: Template,
  ): Promise<{ readonly publicKey: DescribedObject; readonly privateKey: DescribedObject }> {
    await this.#enter('generateKeyPair');
    if (this.#hidden && privateTemplate.TOKEN === true) throw new TokenError('unclear', 'C_GenerateKeyPair returned CKR_GENERAL_ERROR');
    const { point, secret } = makePair(publicTemplate.EC_PARAMS);
    const publicKey = this.#store({ ...publicTemplate, EC_POINT: point }, Buffer.alloc(0));
    return { publicKey, privateKey: this.#store(privateTemplate, secret) };
  }

  async wrapKey(mechanism: Mechanism, wrappingKey: TokenObject, key: TokenObject): Promise<Uint8Array> {
    return this.#with('wrapKey', wrappingKey, 'WRAP', mechanism, (value, by) => {
      const { template, value: wrapped } = this.#find(key);
      if (template.EXTRACTABLE !== true) throw new TokenError('refused', 'CKR_KEY_UNEXTRACTABLE');
      if (template.WRAP_WITH_TRUSTED === true && by.TRUSTED !== true) throw new TokenError('refused', 'CKR_KEY_NOT_WRAPPABLE');
      const { name, initial } = keyWrap(mechanism);
      return finish(createCipheriv(name, value, initial), wrapped);
    });
  }

  async unwrapKey(mechanism: Mechanism, unwrappingKey: TokenObject, wrapped: Uint8Array, template: Template): Promise<DescribedObject> {
    if (template.VALUE_LEN !== undefined) throw new TokenError('input', 'CKA_VALUE_LEN is not given with C_UnwrapKey');
    return this.#with('unwrapKey', unwrappingKey, 'UNWRAP', mechanism, (value, by) => {
      const forced = this.capabilities.enforcesUnwrapTemplate ? (by.UNWRAP_TEMPLATE ?? {}) : {};
      const conflict = Object.entries(forced).some(([name, wanted]) => template[name as AttributeName] !== wanted);
      if (conflict) throw new TokenError('refused', 'CKR_TEMPLATE_INCONSISTENT');
      try {
        const { name, initial } = keyWrap(mechanism);
        return this.#store(template, finish(createDecipheriv(name, value, initial), wrapped));
      } catch {
        throw new TokenError('unclear', 'C_UnwrapKey returned CKR_GENERAL_ERROR');
      }
    });
  }

  async deriveKey(mechanism: Mechanism, baseKey: TokenObject, template: Template): Promise<DescribedObject> {
    return this.#with('deriveKey', baseKey, 'DERIVE', mechanism, (value) => {
      if (mechanism.name === 'ECDH1_DERIVE') {
        const secret = agree(value, mechanism.publicPoint);
        return this.#store({ ...template, VALUE: secret }, Buffer.from(secret));
      }
      if (mechanism.name === 'AES_CBC_ENCRYPT_DATA') {
        return this.#store(template, finish(createCipheriv('aes-256-cbc', value, mechanism.iv).setAutoPadding(false), mechanism.data));
      }
      if (mechanism.name !== 'SP800_108_COUNTER_KDF') throw new TokenError('unsupported', mechanism.name);
      return this.#store(
        template,
        createHmac('sha256', value)
          .update(Uint8Array.of(0, 0, 0, 1))
          .update(mechanism.fixedInput)
          .digest(),
      );
    });
  }

  async findObjects(template: Template, _readBack: readonly AttributeName[]): Promise<readonly DescribedObject[]> {
    await this.#enter('findObjects');
    if (this.#hidden) return [];
    return [...this.#objects]
      .filter(([, object]) => hasAttributes(object, template))
      .map(([handle, { template: attributes }]) => ({ object: this.#reference(handle), attributes }));
  }

  async getAttributes(object: TokenObject): Promise<Template> {
    return this.#find(object).template;
  }

  async destroyObject(object: TokenObject): Promise<void> {
    await this.#enter('destroyObject');
    const stored = this.#find(object);
    if (stored.calls > 0) this.violations.push(`destroyed under ${stored.calls} running calls`);
    this.#objects.delete(object.handle.low);
  }

  async random(lengthBytes: number): Promise<Uint8Array> {
    await this.#enter('random');
    return randomBytes(lengthBytes);
  }

  async endReplacedHosts(): Promise<void> {
    this.replacedHosts = 0;
  }

  async probe(): Promise<void> {
    if (this.health !== 'ready') throw new TokenError('unavailable', 'The token does not answer');
  }

  async close(): Promise<void> {
    this.health = 'unavailable';
  }

  async #with<T>(
    method: Method,
    key: TokenObject,
    usage: AttributeName,
    mechanism: Mechanism,
    work: (value: Buffer, template: Template) => T,
  ): Promise<T> {
    const stored = this.#find(key);
    stored.calls += 1;
    try {
      await this.#enter(method);
      if (stored.template[usage] !== true) throw new TokenError('refused', 'CKR_KEY_FUNCTION_NOT_PERMITTED');
      const allowed = stored.template.ALLOWED_MECHANISMS;
      if (allowed !== undefined && !allowed.includes(mechanism.name)) throw new TokenError('refused', 'CKR_MECHANISM_INVALID');
      return work(stored.value, stored.template);
    } finally {
      stored.calls -= 1;
    }
  }

  async #enter(method: Method): Promise<void> {
    this.counts[method] += 1;
    const epoch = this.#epoch;
    await nextTurn();
    const fault = this.#faults.find((candidate) => candidate.method === method && candidate.left > 0);
    if (fault !== undefined) {
      fault.left -= 1;
      throw fault.error;
    }
    if (epoch !== this.#epoch) throw new TokenError('session', 'The session was closed during the call');
  }

  #find(object: TokenObject): StoredObject {
    const stored = this.isCurrent(object) ? this.#objects.get(object.handle.low) : undefined;
    if (stored === undefined) throw new TokenError('handle', 'CKR_OBJECT_HANDLE_INVALID');
    return stored;
  }

  #store(template: Template, value: Buffer): DescribedObject {
    this.#handles += 1;
    this.#objects.set(this.#handles, { template, value, calls: 0 });
    return { object: this.#reference(this.#handles), attributes: template };
  }

  #reference(handle: number): TokenObject {
    return { handle: { low: handle, high: 0 }, epoch: this.#epoch };
  }

  #recordIv(value: Buffer, iv: Uint8Array): void {
    const key = value.toString('hex');
    const seen = this.ivsByKey.get(key) ?? new Set();
    const text = Buffer.from(iv).toString('hex');
    if (seen.has(text)) this.violations.push('an IV was used twice under one key');
    this.ivsByKey.set(key, seen.add(text));
  }
}

function hasAttributes(object: StoredObject, template: Template): boolean {
  return (Object.entries(template) as [AttributeName, unknown][]).every(([name, value]) =>
    value instanceof Uint8Array
      ? Buffer.compare(value, (object.template[name] as Uint8Array | undefined) ?? Buffer.alloc(0)) === 0
      : object.template[name] === value,
  );
}

function finish(cipher: { update(data: Uint8Array): Buffer; final(): Buffer }, data: Uint8Array): Buffer {
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

function keyWrap({ name }: Mechanism): { readonly name: string; readonly initial: Buffer } {
  if (name === 'AES_KEY_WRAP') return { name: 'id-aes256-wrap', initial: Buffer.alloc(8, 0xa6) };
  return { name: 'id-aes256-wrap-pad', initial: Buffer.from('a65959a6', 'hex') };
}
