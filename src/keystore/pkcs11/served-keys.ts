/** Which keys other than SYMMETRIC_DEFAULT this key store uses and makes on its token, and why not the others. Decided once, by what was measured. */
import { keySpecs } from '../../keys/algorithms.ts';
import type { KeyUsage } from '../../keys/key-record.ts';
import type { Token } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import type { Service } from '../served-algorithms.ts';
import { keyKind } from './key-kind.ts';
import type { KeyKind } from './key-kind.ts';
import type { AlgorithmService } from './algorithm-service.ts';
import { keyWrapAlgorithm } from './service-keys.ts';

/** AES-KW wraps whole semiblocks only (RFC 3394, section 2). */
const semiblockBytes = 8;

export class ServedKeys {
  readonly #token: Token;
  readonly #wrapped: boolean;
  readonly #kinds = new Map<string, KeyKind | KeyStoreError>();

  /** `wrapped`: new keys have the residency `wrapped`. */
  constructor(token: Token, wrapped: boolean) {
    this.#token = token;
    this.#wrapped = wrapped;
    for (const [keySpec, { algorithms }] of keySpecs) {
      if (keySpec === 'SYMMETRIC_DEFAULT') continue;
      for (const keyUsage of Object.keys(algorithms) as KeyUsage[]) {
        this.#kinds.set(nameOf(keySpec, keyUsage), keyKind(keySpec, keyUsage, token.capabilities));
      }
    }
  }

  /** The kind of a key that there is. Throws KeyStoreError `unsupported`. */
  kindOf(keySpec: string, keyUsage: KeyUsage): KeyKind {
    const kind = this.#kinds.get(nameOf(keySpec, keyUsage));
    if (kind === undefined) throw new KeyStoreError('unsupported', `There are no keys of spec ${keySpec} for ${keyUsage} here`);
    if (kind instanceof KeyStoreError) throw kind;
    return kind;
  }

  /** How one algorithm of a key is served. Throws KeyStoreError `unsupported` with the reason where it is refused. */
  serviceOf({ keySpec, keyUsage }: { readonly keySpec: string; readonly keyUsage: KeyUsage }, algorithm: string): AlgorithmService {
    const service = this.kindOf(keySpec, keyUsage).services.get(algorithm);
    if (service === undefined) throw new KeyStoreError('unsupported', `Keys of spec ${keySpec} do not do ${algorithm}`);
    if (service.how === 'refused') throw new KeyStoreError('unsupported', `${algorithm} is not served by this token: ${service.reason}`);
    return service;
  }

  /** The kind of a new key. Throws KeyStoreError `unsupported` with the reason. */
  kindOfNew(keySpec: string, keyUsage: KeyUsage): KeyKind {
    const kind = this.kindOf(keySpec, keyUsage);
    const refusal = this.#wrapped ? wrappingRefusal(kind, this.#token) : undefined;
    if (refusal !== undefined) throw refusal;
    return kind;
  }

  /** For each spec: undefined when keys of it can be made for some usage, else why not. */
  refusals(): ReadonlyMap<string, string | undefined> {
    const reasons = new Map<string, string | undefined>();
    for (const [keySpec, { algorithms }] of keySpecs) {
      if (keySpec === 'SYMMETRIC_DEFAULT') continue;
      const found = (Object.keys(algorithms) as KeyUsage[]).map((keyUsage) => this.#refusalOf(keySpec, keyUsage));
      reasons.set(keySpec, found.every((reason) => reason !== undefined) ? found[0] : undefined);
    }
    return reasons;
  }

  /** How new keys do one algorithm that fits them. */
  serviceOfNew(keySpec: string, keyUsage: KeyUsage, algorithm: string): Service {
    const kind = this.#kinds.get(nameOf(keySpec, keyUsage));
    const reason = this.#refusalOf(keySpec, keyUsage);
    if (reason !== undefined) return { how: 'refused', reason };
    const service = kind instanceof KeyStoreError ? undefined : kind?.services.get(algorithm);
    return service ?? { how: 'refused', reason: `keys of spec ${keySpec} do not do ${algorithm}` };
  }

  #refusalOf(keySpec: string, keyUsage: KeyUsage): string | undefined {
    const kind = this.#kinds.get(nameOf(keySpec, keyUsage));
    if (kind === undefined || kind instanceof KeyStoreError) return kind?.message;
    return this.#wrapped ? wrappingRefusal(kind, this.#token)?.message : undefined;
  }
}

function wrappingRefusal({ binding, form }: KeyKind, token: Token): KeyStoreError | undefined {
  const { wrapsPrivate } = token.capabilities;
  const { CLASS, KEY_TYPE } = form.identity;
  const bytes = form.size.VALUE_LEN ?? 0;
  const isPrivate = CLASS === 'PRIVATE_KEY';
  const wraps = isPrivate
    ? KEY_TYPE !== undefined && wrapsPrivate.includes(KEY_TYPE)
    : keyWrapAlgorithm(token) === 'AES-KWP' || bytes % semiblockBytes === 0;
  if (wraps) return undefined;
  const what = isPrivate ? `private keys of type ${KEY_TYPE}` : `keys of ${bytes} bytes`;
  return new KeyStoreError(
    'unsupported',
    `Keys of spec ${binding.keySpec} cannot be kept outside the token: it does not wrap ${what} with AES-KWP. Residency "token" serves them`,
  );
}

function nameOf(keySpec: string, keyUsage: string): string {
  return `${keySpec} ${keyUsage}`;
}
