/** A place to try things on a token: makes session objects of its own, remembers them, and takes them all away at the end. */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CryptokiError } from '../cryptoki.ts';
import type { CallClasses } from '../call-classes.ts';
import type { CreatedObject, Cryptoki, ObjectHandle } from '../cryptoki.ts';
import { generationOf, keyTypeOf, publicKeyAttributes, publicKeyOf, publicTemplate } from '../key-pairs.ts';
import type { PairShape, PrivateKeyUse } from '../key-pairs.ts';
import type { AttributeName, Mechanism, Template } from '../mechanism.ts';
import { tokenErrorFrom } from '../token-error.ts';

/** Every usage flag, off: tokens differ in what a missing one means. */
const NO_USE: Template = { ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false, DERIVE: false };
const NO_PRIVATE_USE: Template = { DECRYPT: false, SIGN: false, UNWRAP: false, DERIVE: false };
const SESSION_PAIR: Template = { CLASS: 'PRIVATE_KEY', TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false };
const SESSION_KEY: Template = { CLASS: 'SECRET_KEY', TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false };

/** A 256-bit AES session key of the bench, with `changes` to its template. */
export function aesKey(changes: Template): Template {
  return { ...NO_USE, ...SESSION_KEY, KEY_TYPE: 'AES', VALUE_LEN: 32, ...changes };
}

/** The same for a key whose value or length comes with the call (C_CreateObject, C_UnwrapKey). */
export function aesKeyOfGivenLength(changes: Template): Template {
  const { VALUE_LEN: _length, ...template } = aesKey(changes);
  return template;
}

/** A session pair of the bench. */
export interface ProbePair {
  readonly publicKey: KeyObject;
  readonly privateKey: ObjectHandle;
}

export class ProbeBench {
  readonly cryptoki: Cryptoki;
  readonly calls: CallClasses;
  readonly #objects: ObjectHandle[] = [];

  constructor(cryptoki: Cryptoki, calls: CallClasses) {
    this.cryptoki = cryptoki;
    this.calls = calls;
  }

  /** An AES-256 session key made in the token. */
  async generate(changes: Template, readBack: readonly AttributeName[] = []): Promise<CreatedObject> {
    return this.keep(await this.cryptoki.generateKey({ name: 'AES_KEY_GEN' }, aesKey(changes), readBack, this.calls.anchorSlow));
  }

  /** A 256-bit generic secret made in the token. */
  async generateSecret(changes: Template): Promise<CreatedObject> {
    return this.keep(await this.cryptoki.generateKey({ name: 'GENERIC_SECRET_KEY_GEN' }, aesKey(changes), [], this.calls.anchorSlow));
  }

  /** A session pair; undefined where the token makes none like it, or says of its public half what cannot be. */
  async generatePair(shape: PairShape, uses: readonly PrivateKeyUse[], changes: Template = {}): Promise<ProbePair | undefined> {
    const keyType = keyTypeOf(shape);
    const on = Object.fromEntries(uses.map((use) => [use, true]));
    const publicPart: Template = { ...publicTemplate(shape, uses[0] ?? 'SIGN'), ENCRYPT: uses.includes('DECRYPT') };
    const privatePart: Template = { ...SESSION_PAIR, KEY_TYPE: keyType, ...NO_PRIVATE_USE, ...on, ...changes };
    // Not in the anchor session: half a second of RSA there would delay the other probes.
    const options = shape.type === 'rsa' ? this.calls.keyGeneration : this.calls.anchorSlow;
    try {
      const made = await this.cryptoki.generateKeyPair(generationOf(shape), publicPart, privatePart, publicKeyAttributes, options);
      this.keep(made.publicKey);
      this.keep(made.privateKey);
      const key = publicKeyOf(shape, made.publicKey.attributes);
      if (key === undefined) return undefined;
      return { publicKey: createPublicKey({ key: Buffer.from(key), format: 'der', type: 'spki' }), privateKey: made.privateKey.handle };
    } catch (error) {
      return rejectedBy(error, undefined);
    }
  }

  /** A published test key as a session object; undefined where the token takes no secret keys in clear. */
  async install(value: Uint8Array, changes: Template): Promise<ObjectHandle | undefined> {
    try {
      const created = await this.cryptoki.createObject(aesKeyOfGivenLength({ VALUE: value, ...changes }), [], this.calls.anchor);
      return this.keep(created).handle;
    } catch (error) {
      return rejectedBy(error, undefined);
    }
  }

  async derive(
    mechanism: Mechanism,
    base: ObjectHandle,
    changes: Template,
    readBack: readonly AttributeName[] = [],
  ): Promise<CreatedObject> {
    return this.keep(await this.cryptoki.deriveKey(mechanism, base, aesKey(changes), readBack, this.calls.anchor));
  }

  async unwrap(
    mechanism: Mechanism,
    key: ObjectHandle,
    wrapped: Uint8Array,
    changes: Template,
    readBack: readonly AttributeName[] = [],
  ): Promise<CreatedObject> {
    return this.keep(await this.cryptoki.unwrapKey(mechanism, key, wrapped, aesKeyOfGivenLength(changes), readBack, this.calls.anchorSlow));
  }

  async copy(object: ObjectHandle, changes: Template, readBack: readonly AttributeName[]): Promise<CreatedObject> {
    return this.keep(await this.cryptoki.copyObject(object, { TOKEN: false, ...changes }, readBack, this.calls.anchor));
  }

  /** Remembers an object that was made elsewhere. */
  keep(created: CreatedObject): CreatedObject {
    this.#objects.push(created.handle);
    return created;
  }

  /** Destroys every object of the bench. */
  async clear(): Promise<void> {
    const objects = this.#objects.splice(0);
    await Promise.all(objects.map((object) => this.cryptoki.destroyObject(object, this.calls.anchor).catch(() => {})));
  }
}

/** What the token says no to gives `otherwise`; a token that gave no answer is no answer to the question, and is thrown on. */
export function rejectedBy<T>(error: unknown, otherwise: T): T {
  if (error instanceof CryptokiError) return otherwise;
  throw tokenErrorFrom(error);
}

/** True when `attempt` resolves to true; false when it resolves to anything else or the token refuses. */
export async function succeeds(attempt: () => Promise<boolean>): Promise<boolean> {
  try {
    return await attempt();
  } catch (error) {
    return rejectedBy(error, false);
  }
}
