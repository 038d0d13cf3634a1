/**
 * A token in service: every call checks that its handles are of the current epoch, goes through the door once, and comes back with
 * TokenError or a key that was checked. The recovery itself is in `recovery.ts`.
 */
import { attributesToCheck, weaknesses } from './key-strength.ts';
import type { CallClasses } from './call-classes.ts';
import type { CallOptions, CreatedObject, Cryptoki, SlotDescription } from './cryptoki.ts';
import type { AttributeName, Mechanism, Template } from './mechanism.ts';
import { Rerun } from './rerun.ts';
import type { Recovery, RecoveryParts } from './recovery.ts';
import { OPTIONAL_ATTRIBUTES, without } from './templates.ts';
import { Turns } from './turns.ts';
import { TokenError, mayBeTemplate, throwTokenError, tokenErrorFrom } from './token-error.ts';
import type { Capabilities, DescribedObject, HandleEpoch, Token, TokenHealth, TokenObject } from './token.ts';

/** Tokens limit one C_GenerateRandom (Google's library to 1,024 bytes, NSS to 65,536). */
const RANDOM_BYTES_PER_CALL = 1_024;
const RANDOM_BYTES_MAX = 65_536;

/** Key pairs that wait for a thread. */
const PAIRS_WAITING_MAX = 64;

/** Makes an object from a template. */
type Making = (cryptoki: Cryptoki, template: Template, readBack: readonly AttributeName[]) => Promise<CreatedObject>;

export class ServedToken implements Token {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #recovery: Recovery;
  readonly #calls: CallClasses;
  readonly #log: RecoveryParts['log'];
  readonly #rerun: Rerun;
  readonly #omitted: ReadonlySet<string>;
  /** Calls and types of key that refuse optional attributes: remembered, so that each is refused once only. */
  readonly #plainOnly = new Set<string>();
  /** Key pairs that are being generated. */
  #pairs = 0;
  readonly #turns: Turns;

  constructor(recovery: Recovery, capabilities: Capabilities, parts: RecoveryParts) {
    this.name = parts.config.name;
    this.capabilities = capabilities;
    this.#recovery = recovery;
    this.#calls = parts.calls;
    this.#log = parts.log;
    this.#omitted = new Set(parts.config.omitAttributes);
    this.#rerun = new Rerun(recovery, parts);
    // One of the slow threads stays free of key pairs, where there are two: other slow calls take milliseconds.
    this.#turns = new Turns(Math.max(1, parts.config.threads.slow - 1), PAIRS_WAITING_MAX);
  }

  get slot(): SlotDescription {
    return this.#recovery.connection.slot;
  }

  get health(): TokenHealth {
    return this.#recovery.health;
  }

  get epoch(): HandleEpoch {
    return this.#recovery.epoch;
  }

  isCurrent(object: TokenObject): boolean {
    const current = this.#recovery.epoch;
    return object.epoch.login === current.login && object.epoch.generation === current.generation;
  }

  onEpochChange(listener: () => void): () => void {
    return this.#recovery.onEpochChange(listener);
  }

  recovering<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#rerun.recovering(work, signal);
  }

  encrypt(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array> {
    const cryptoki = this.#recovery.cryptoki;
    if (cryptoki === undefined || !this.isCurrent(key)) return Promise.reject(this.#refusal());
    return cryptoki.encrypt(mechanism, key.handle, data, this.#calls.fast).catch(throwTokenError);
  }

  decrypt(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array> {
    const cryptoki = this.#recovery.cryptoki;
    if (cryptoki === undefined || !this.isCurrent(key)) return Promise.reject(this.#refusal());
    return cryptoki.decrypt(mechanism, key.handle, data, this.#calls.fast).catch(throwTokenError);
  }

  sign(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array> {
    const cryptoki = this.#recovery.cryptoki;
    if (cryptoki === undefined || !this.isCurrent(key)) return Promise.reject(this.#refusal());
    return cryptoki.sign(mechanism, key.handle, data, this.#calls.fast).catch(throwTokenError);
  }

  generateKey(
    mechanism: Mechanism,
    template: Template,
    readBack: readonly AttributeName[] = [],
    essential: readonly AttributeName[] = [],
  ): Promise<DescribedObject> {
    const options = this.#patient(template.TOKEN === true ? this.#calls.slow : this.#calls.anchorSlow);
    return this.#make('C_GenerateKey', template, readBack, essential, (cryptoki, asked, names) =>
      cryptoki.generateKey(mechanism, asked, names, options),
    );
  }

  generateKeyPair(
    mechanism: Mechanism,
    publicTemplate: Template,
    privateTemplate: Template,
    readBack: readonly AttributeName[] = [],
    essential: readonly AttributeName[] = [],
  ): Promise<{ readonly publicKey: DescribedObject; readonly privateKey: DescribedObject }> {
    return this.#generatingPair(async (options) => {
      const { epoch } = this.#recovery;
      let made: CreatedObject | undefined;
      const making: Making = async (cryptoki, asked, names) => {
        const pair = await cryptoki.generateKeyPair(mechanism, publicTemplate, asked, names, options);
        made = pair.publicKey;
        return pair.privateKey;
      };
      try {
        const privateKey = await this.#make('C_GenerateKeyPair', privateTemplate, readBack, essential, making);
        const { handle, attributes } = made as unknown as CreatedObject;
        return { publicKey: { object: { handle, epoch }, attributes }, privateKey };
      } catch (error) {
        if (made !== undefined) await this.#discard({ handle: made.handle, epoch });
        throw error;
      }
    });
  }

  async wrapKey(mechanism: Mechanism, wrappingKey: TokenObject, key: TokenObject): Promise<Uint8Array> {
    const cryptoki = this.#door(wrappingKey, key);
    return cryptoki.wrapKey(mechanism, wrappingKey.handle, key.handle, this.#calls.fast).catch(throwTokenError);
  }

  async unwrapKey(
    mechanism: Mechanism,
    unwrappingKey: TokenObject,
    wrapped: Uint8Array,
    template: Template,
    readBack: readonly AttributeName[] = [],
    essential: readonly AttributeName[] = [],
  ): Promise<DescribedObject> {
    this.#door(unwrappingKey);
    const options = this.#patient(template.TOKEN === true ? this.#calls.slow : this.#calls.anchorSlow);
    return this.#make('C_UnwrapKey', template, readBack, essential, (cryptoki, asked, names) =>
      cryptoki.unwrapKey(mechanism, unwrappingKey.handle, wrapped, asked, names, options),
    );
  }

  async deriveKey(
    mechanism: Mechanism,
    baseKey: TokenObject,
    template: Template,
    readBack: readonly AttributeName[] = [],
    essential: readonly AttributeName[] = [],
  ): Promise<DescribedObject> {
    this.#door(baseKey);
    const options = this.#patient(template.TOKEN === true ? this.#calls.slow : this.#calls.anchor);
    return this.#make('C_DeriveKey', template, readBack, essential, (cryptoki, asked, names) =>
      cryptoki.deriveKey(mechanism, baseKey.handle, asked, names, options),
    );
  }

  async findObjects(template: Template, readBack: readonly AttributeName[]): Promise<readonly DescribedObject[]> {
    const cryptoki = this.#door();
    const epoch = this.#recovery.epoch;
    const found = await cryptoki.findObjects(template, readBack, this.#patient(this.#calls.slow)).catch(throwTokenError);
    return found.map(({ handle, attributes }) => ({ object: { handle, epoch }, attributes }));
  }

  async getAttributes(object: TokenObject, names: readonly AttributeName[]): Promise<Template> {
    return this.#door(object).getAttributes(object.handle, names, this.#calls.fast).catch(throwTokenError);
  }

  async destroyObject(object: TokenObject): Promise<void> {
    return this.#door(object).destroyObject(object.handle, this.#patient(this.#calls.anchorSlow)).catch(throwTokenError);
  }

  async random(lengthBytes: number): Promise<Uint8Array> {
    if (!Number.isInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > RANDOM_BYTES_MAX) {
      throw new TokenError('input', `${lengthBytes} random bytes were asked for: 1 to ${RANDOM_BYTES_MAX} can be had at once`);
    }
    const cryptoki = this.#door();
    if (lengthBytes <= RANDOM_BYTES_PER_CALL) return cryptoki.random(lengthBytes, this.#calls.fast).catch(throwTokenError);
    const bytes = new Uint8Array(lengthBytes);
    for (let offset = 0; offset < lengthBytes; offset += RANDOM_BYTES_PER_CALL) {
      bytes.set(await this.random(Math.min(RANDOM_BYTES_PER_CALL, lengthBytes - offset)), offset);
    }
    return bytes;
  }

  async probe(): Promise<void> {
    this.#door();
    await this.#recovery.connection.check();
  }

  endReplacedHosts(): Promise<void> {
    return this.#recovery.endReplacedHosts();
  }

  close(): Promise<void> {
    return this.#recovery.close();
  }

  #refusal(): TokenError {
    if (this.#recovery.cryptoki === undefined) return this.#recovery.refusal();
    return new TokenError('handle', `a handle of an earlier login to token ${this.name} was used: find the object again`);
  }

  /** The door, for objects that are all of the current epoch. */
  #door(...objects: readonly TokenObject[]): Cryptoki {
    const cryptoki = this.#recovery.cryptoki;
    if (cryptoki === undefined || !objects.every((object) => this.isCurrent(object))) throw this.#refusal();
    return cryptoki;
  }

  /** Key pairs take minutes at worst; whatever waits behind one on its thread may take as long. */
  #generatingPair<T>(make: (options: CallOptions) => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      this.#pairs++;
      try {
        return await make(this.#calls.keyGeneration);
      } finally {
        this.#pairs--;
      }
    });
  }

  /** A call that waits behind the generation of a key pair is no sign of a stuck thread. */
  #patient(options: CallOptions): CallOptions {
    return options.threads === 'slow' && this.#pairs > 0 ? this.#calls.keyGeneration : options;
  }

  #plain(template: Template, essential: readonly AttributeName[]): Template {
    return without(template, new Set(OPTIONAL_ATTRIBUTES.filter((name) => !essential.includes(name))));
  }

  /** Makes a key and checks what came out. `call` names the function, for the memory of what it refuses. */
  async #make(
    call: string,
    template: Template,
    readBack: readonly AttributeName[],
    insisted: readonly AttributeName[],
    making: Making,
  ): Promise<DescribedObject> {
    const cryptoki = this.#door();
    const epoch = this.#recovery.epoch;
    const essential = essentialOf(template, insisted);
    const omitted = new Set([...this.#omitted].filter((name) => !(essential as readonly string[]).includes(name)));
    const checked = attributesToCheck(template, essential);
    const names = [...checked, ...readBack.filter((name) => !checked.includes(name))];
    const { handle, attributes } = await this.#withFallback(call, without(template, omitted), essential, (asked) =>
      making(cryptoki, asked, names),
    );
    const object = { handle, epoch };
    const weak = weaknesses(template, attributes, checked);
    if (weak.length === 0) return { object, attributes };
    const details = { functionName: call };
    const finding = `the token made a key that is weaker than asked for (${weak.join(', ')})`;
    // What is still there is no refusal, after which nobody would look for it again.
    if (!(await this.#discard(object))) throw new TokenError('device', `${finding}, and it could not be destroyed`, details);
    throw new TokenError('weaker-key', `${finding}; it was destroyed`, details);
  }

  /** Asks with the optional attributes, then without them where the token does not know them. */
  async #withFallback(
    call: string,
    template: Template,
    essential: readonly AttributeName[],
    make: (asked: Template) => Promise<CreatedObject>,
  ): Promise<CreatedObject> {
    const plain = this.#plain(template, essential);
    const kind = `${call} ${template.CLASS} ${template.KEY_TYPE}`;
    if (this.#plainOnly.has(kind)) return make(plain).catch(throwTokenError);
    const canDrop = Object.keys(plain).length < Object.keys(template).length;
    try {
      return await make(template).catch((error: unknown) => (canDrop && mayBeAnything(error) ? make(template) : Promise.reject(error)));
    } catch (error) {
      const failure = tokenErrorFrom(error);
      if (!(failure instanceof TokenError) || !mayBeTemplate(failure) || !canDrop) throw failure;
      const created = await make(plain).catch(throwTokenError);
      this.#plainOnly.add(kind);
      return created;
    }
  }

  /** Resolves to whether the object is gone. */
  async #discard(object: TokenObject): Promise<boolean> {
    try {
      await this.destroyObject(object);
      return true;
    } catch (error) {
      this.#log.error({ token: this.name, err: error }, 'a key that must not be used could not be destroyed');
      return false;
    }
  }
}

/** A general error is about the template only when it repeats: one fault is no reason to make weaker keys from then on. */
function mayBeAnything(error: unknown): boolean {
  const failure = tokenErrorFrom(error);
  return failure instanceof TokenError && failure.kind !== 'unsupported' && mayBeTemplate(failure);
}

/** Without WRAP_WITH_TRUSTED an extractable key could leave under any key. */
function essentialOf(template: Template, insisted: readonly AttributeName[]): readonly AttributeName[] {
  return template.EXTRACTABLE === true && template.WRAP_WITH_TRUSTED === true ? [...insisted, 'WRAP_WITH_TRUSTED'] : insisted;
}
