/**
 * Imports into a token: what was wrapped is unwrapped there, examined as a session object, and only then brought to its place. One attempt
 * each; errors of the token mean the wrapped material where `importError` says so.
 */
import { keyShape } from '../../keys/algorithms.ts';
import { wrappingAlgorithms } from '../../keys/import-wrapping.ts';
import type { OaepWrappingRow } from '../../keys/import-wrapping.ts';
import type { Custody, Residency } from '../../keys/key-record.ts';
import { keyTypeOf } from '../../token/key-pairs.ts';
import type { PairShape } from '../../token/key-pairs.ts';
import type { Template } from '../../token/mechanism.ts';
import { LEAVES_UNDER_TRUSTED, STAYS_INSIDE, privateForm } from '../../token/templates.ts';
import { TokenError } from '../../token/token-error.ts';
import type { Capabilities, DescribedObject, Token } from '../../token/token.ts';
import type { ImportKey, ImportRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { withSessionObject } from './derivation.ts';
import { createImportKey, findImportKey } from './import-keys.ts';
import { doesNotUnwrap, renewBlock, splitWrapped, unwrapMaterial, unwrapsDigest } from './import-unwrapping.ts';
import type { WrappedMaterial } from './import-unwrapping.ts';
import { onOwnData, toKeyStoreError } from './key-store-error.ts';
import type { CreatedMaterial, MaterialKind, TokenKey } from './material-kind.ts';
import type { MaterialPlaces } from './material-places.ts';
import { exportableTemplate, importedTemplate, unwrappedTemplate } from './material-templates.ts';
import { privateKeyAttributes, publicHalfOf } from './public-halves.ts';
import { residentNames } from './resident-materials.ts';

/** The parts of the configuration that decide about imports. */
export interface ImportPolicy {
  readonly residency: Extract<Residency, 'token' | 'wrapped'>;
  /** `via-software`: what the token cannot unwrap or examine itself may be in this process for a moment. */
  readonly import: 'in-token' | 'via-software';
}

export interface TakenIn {
  readonly created: CreatedMaterial;
  readonly throughSoftware: boolean;
}

const CKR_KEY_SIZE_RANGE = 0x62;

export class TokenImports {
  readonly #token: Token;
  readonly #places: MaterialPlaces;
  readonly #policy: ImportPolicy;

  constructor(token: Token, places: MaterialPlaces, policy: ImportPolicy) {
    this.#token = token;
    this.#places = places;
    this.#policy = policy;
  }

  /** `again`: an earlier attempt may have made a pair. */
  async createImportKey(wrappingKeySpec: string, objectId: Uint8Array, again: boolean): Promise<ImportKey> {
    const unwrapTemplate = this.#token.capabilities.enforcesUnwrapTemplate ? await this.#unwrapTemplate() : undefined;
    return createImportKey(this.#token, wrappingKeySpec, objectId, { decrypts: this.#isViaSoftware, unwrapTemplate }, again);
  }

  /** `again`: an earlier attempt may have made the material. */
  async importMaterial(request: ImportRequest, kind: MaterialKind, custody: Custody, again: boolean): Promise<TakenIn> {
    const { importKey, wrappingAlgorithm, wrapped } = request;
    const row = wrappingAlgorithms.get(wrappingAlgorithm);
    if (row === undefined || row.scheme === 'sm2')
      throw new KeyStoreError('unsupported', `The token does not unwrap material that was wrapped with ${wrappingAlgorithm}`);
    this.#assertUnwraps(kind, row);
    const found = await onOwnData(findImportKey(this.#token, importKey));
    const forced = this.#token.capabilities.enforcesUnwrapTemplate ? await onOwnData(this.#unwrapTemplate()) : {};
    const whole = splitWrapped(found, row, wrapped, forced);
    const openable = unwrapsDigest(this.#token.capabilities, row.digest)
      ? whole
      : await this.#throughSoftware(whole, kind, `it has no ${row.digest}`);
    const { examined, publicKey } = await this.#examine(openable, kind);
    const created = await this.#place(request, kind, custody, examined, publicKey, again);
    return { created, throughSoftware: examined.seenBytes !== undefined };
  }

  get #isViaSoftware(): boolean {
    return this.#policy.import === 'via-software';
  }

  /** What the import key forces on all that it unwraps: the material stays, or leaves as wrapped materials do. */
  async #unwrapTemplate(): Promise<Template> {
    if (this.#policy.residency === 'token') return STAYS_INSIDE;
    const { current } = await this.#places.wrapped.serviceKeys();
    return current.trusted ? LEAVES_UNDER_TRUSTED : { SENSITIVE: true };
  }

  #assertUnwraps({ binding, form }: MaterialKind, { scheme }: OaepWrappingRow): void {
    const { wrapsPrivate, kwp } = this.#token.capabilities;
    const { CLASS, KEY_TYPE } = form.identity;
    const refuse = (reason: string): never => {
      throw new KeyStoreError('unsupported', `Keys of spec ${binding.keySpec} cannot be imported so: ${reason}`);
    };
    if (scheme === 'oaep-aes' && kwp === undefined) refuse('the token does not unwrap AES-KWP');
    const isPrivate = CLASS === 'PRIVATE_KEY';
    if (isPrivate && (KEY_TYPE === undefined || !wrapsPrivate.includes(KEY_TYPE)))
      refuse(`the token does not unwrap private keys of type ${KEY_TYPE} as they are asked for`);
  }

  #throughSoftware(wrapped: WrappedMaterial, { binding }: MaterialKind, shortcoming: string): Promise<WrappedMaterial> {
    if (this.#isViaSoftware) return renewBlock(this.#token, wrapped);
    throw new KeyStoreError(
      'unsupported',
      `Key material of spec ${binding.keySpec} wrapped so does not go into the token unseen: ${shortcoming}. Wrap it otherwise, or accept that it passes through software with import: via-software`,
    );
  }

  /** Proves that the material is a key of the spec. Secret keys by their length, pairs by what the public half is. */
  async #examine(
    wrapped: WrappedMaterial,
    kind: MaterialKind,
  ): Promise<{ readonly examined: WrappedMaterial; readonly publicKey?: Uint8Array }> {
    const shape = keyShape(kind.binding.keySpec);
    if (shape.type === 'rsa' || shape.type === 'ec' || shape.type === 'ed25519')
      return { examined: wrapped, publicKey: await this.#publicHalf(wrapped, kind, shape) };
    const bytes = wrapped.seenBytes !== undefined && wrapped.padded === undefined ? wrapped.seenBytes : await this.#lengthOf(wrapped, kind);
    if (bytes === 0)
      return this.#examine(await this.#throughSoftware(wrapped, kind, 'it does not tell the length of keys that it unwraps'), kind);
    if (bytes !== kind.form.size.VALUE_LEN) throw notOfSpec(kind);
    return { examined: wrapped };
  }

  /** 0 when the token does not tell it. */
  async #lengthOf(wrapped: WrappedMaterial, kind: MaterialKind): Promise<number> {
    const { object, attributes } = await unwrapMaterial(this.#token, wrapped, unwrappedTemplate(kind), ['VALUE_LEN']);
    return withSessionObject(this.#token, object, async () => attributes.VALUE_LEN ?? 0);
  }

  /** Of a copy that signs, whatever the material is for: a signature tells the public half of a key on a curve. */
  async #publicHalf(wrapped: WrappedMaterial, kind: MaterialKind, shape: PairShape): Promise<Uint8Array> {
    const signing = { ...kind, form: privateForm(keyTypeOf(shape), 'SIGN'), mechanisms: [] };
    const copy = await unwrapMaterial(this.#token, wrapped, unwrappedTemplate(signing), privateKeyAttributes);
    const publicKey = await withSessionObject(this.#token, copy.object, () => publicHalfOf(this.#token, shape, copy));
    if (publicKey === undefined) throw notOfSpec(kind);
    return publicKey;
  }

  async #place(
    request: ImportRequest,
    kind: MaterialKind,
    custody: Custody,
    wrapped: WrappedMaterial,
    publicKey: Uint8Array | undefined,
    again: boolean,
  ): Promise<CreatedMaterial> {
    const unwrap = async (template: Template): Promise<TokenKey> => {
      const { object } = await unwrapChangeable((asked) => unwrapMaterial(this.#token, wrapped, asked, []), template);
      return { object, ...(publicKey && { publicKey }) };
    };
    try {
      if (this.#policy.residency === 'token')
        return await this.#places.resident.take(request, kind, again, () => unwrap(importedTemplate(kind, residentNames(request))));
      const { current } = await this.#places.wrapped.serviceKeys();
      const { VALUE_LEN: _comesWithTheKey, ...exportable } = exportableTemplate(kind, current.trusted);
      const key = await unwrap(exportable);
      return await withSessionObject(this.#token, key.object, () => this.#places.wrapped.keep(request, kind, custody, key));
    } catch (error) {
      throw error instanceof KeyStoreError && error.kind === 'internal' ? notOfSpec(kind, { cause: error }) : error;
    }
  }
}

/** False for tokens into which nothing can be imported. */
export function unwrapsImports({ rsaOaepSha1, rsaOaepSha256, honoursUnwrapAttributes }: Capabilities): boolean {
  return (rsaOaepSha1 || rsaOaepSha256) && honoursUnwrapAttributes;
}

/** The KeyStoreError of an import: what the token holds against its input, it holds against the wrapped material. */
export function importError(error: unknown): unknown {
  if (error instanceof TokenError && error.returnValue === CKR_KEY_SIZE_RANGE)
    return new KeyStoreError('incorrect-material', 'The key material is no key of the spec', { cause: error });
  const known = toKeyStoreError(error, 'invalid-ciphertext');
  return known instanceof KeyStoreError && known.kind === 'invalid-ciphertext' ? doesNotUnwrap({ cause: known }) : known;
}

/** SoftHSM unwraps no key whose attributes cannot be changed; SENSITIVE and EXTRACTABLE cannot be weakened in any case. */
async function unwrapChangeable(unwrap: (template: Template) => Promise<DescribedObject>, template: Template): Promise<DescribedObject> {
  try {
    return await unwrap(template);
  } catch (error) {
    if (!(error instanceof TokenError) || error.kind !== 'refused') throw error;
    const { MODIFIABLE: _modifiable, ...changeable } = template;
    return unwrap(changeable);
  }
}

function notOfSpec({ binding }: MaterialKind, options?: { readonly cause: unknown }): KeyStoreError {
  return new KeyStoreError('incorrect-material', `The key material is no key of spec ${binding.keySpec}`, options);
}
