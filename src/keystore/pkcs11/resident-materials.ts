/**
 * Materials that live in the token as objects (residency `token`), named by CKA_ID. The token is listed once for each of
 * its lives, not searched for each key: a search costs time in proportion to all objects of the token.
 */
import { randomBytes } from 'node:crypto';
import { toHex } from '../../bytes.ts';
import type { MaterialRecord } from '../../keys/key-record.ts';
import { TokenError } from '../../token/token-error.ts';
import type { Template } from '../../token/mechanism.ts';
import type { ObjectNames } from '../../token/templates.ts';
import type { DescribedObject, Token, TokenObject } from '../../token/token.ts';
import type { BoundMaterial, MaterialRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { isRefusal } from './key-store-error.ts';
import { identify, proveMaterial } from './material-kind.ts';
import type { CreatedMaterial, MaterialKind, TokenKey } from './material-kind.ts';
import { residentTemplate, travellingTemplate } from './material-templates.ts';
import { symmetricKind } from './symmetric-kind.ts';

/** Label of every material: short ASCII for tokens with 32 characters, and found again by its form. */
const labelPattern = /^hsm-kms [0-9a-z-]{8}$/;
/** Label of the pairs that materials are wrapped for: no materials themselves. */
export const importKeyLabel = 'hsm-kms import key';
const witnessLabel = 'hsm-kms storage witness';
const tokenKeys: readonly Template[] = [
  { CLASS: 'SECRET_KEY', TOKEN: true },
  { CLASS: 'PRIVATE_KEY', TOKEN: true },
];
/** Any kind will do for an object that is only to be found. */
const witnessKind = symmetricKind('direct');

export class ResidentMaterials {
  readonly #token: Token;
  /** Objects by CKA_ID in hexadecimal. */
  #listing: Promise<Map<string, TokenObject>> | undefined;

  constructor(token: Token) {
    this.#token = token;
  }

  /** Forgets the listing: the token has a new life. */
  relist(): void {
    this.#listing = undefined;
  }

  /** Forgets one object: the token denied its handle. */
  dismiss(objectId: Uint8Array): void {
    this.#amend((listing) => listing.delete(toHex(objectId)));
  }

  /** `again` says that an earlier attempt may have left an object; it was never used, and is destroyed and made anew. */
  async create(request: MaterialRequest, kind: MaterialKind, again: boolean): Promise<CreatedMaterial> {
    if (again) await this.#destroyAll(request.objectId);
    const template = (request.multiRegion === true ? travellingTemplate : residentTemplate)(kind, residentNames(request));
    const key = await kind.generate(this.#token, template, []).catch(neverTwice);
    return this.keep(request, kind, key);
  }

  /** Makes a material of a key that is in the token under `residentNames` and proves itself. It is destroyed when the token refuses that. */
  async keep({ key: { keyId }, objectId }: MaterialRequest, kind: MaterialKind, key: TokenKey): Promise<CreatedMaterial> {
    const identity = await identify(this.#token, kind, keyId, key).catch((error: unknown) => this.#undo(key.object, error));
    this.#amend((listing) => listing.set(toHex(objectId), key.object));
    return { ...identity, reference: objectId };
  }

  /**
   * Makes a material of the key that `unwrap` brings into the token under `residentNames`. Nothing is left of a key that does not prove
   * itself. `again` as for `create`.
   */
  async take(request: MaterialRequest, kind: MaterialKind, again: boolean, unwrap: () => Promise<TokenKey>): Promise<CreatedMaterial> {
    if (again) await this.#destroyAll(request.objectId);
    const key = await unwrap().catch(neverTwice);
    return this.keep(request, kind, key).catch(async (error: unknown) => {
      // The caller takes both for a fault of the key, and does not come again.
      const isOfKey = error instanceof KeyStoreError || (error instanceof TokenError && error.kind === 'unclear');
      if (isOfKey && this.#token.isCurrent(key.object)) await this.#token.destroyObject(key.object);
      throw error;
    });
  }

  /** Finds the object, exactly one, and proves that it is the material. */
  async open(bound: BoundMaterial<MaterialRecord>, kind: MaterialKind): Promise<TokenObject> {
    const object = await this.#locate(bound.material.reference);
    await proveMaterial(this.#token, kind, object, bound);
    return object;
  }

  /** Destroys every object of this id and makes sure that none is left. Resolves to whether there was one. Safe to run twice. */
  destroy(objectId: Uint8Array): Promise<boolean> {
    return this.#destroyFor(objectId, isOurs);
  }

  /** Likewise for an adopted one, which may have any label but those of this service's other keys. */
  destroyAdopted(objectId: Uint8Array): Promise<boolean> {
    return this.#destroyFor(objectId, isOthers);
  }

  async #destroyFor(objectId: Uint8Array, mayGo: (object: DescribedObject) => boolean): Promise<boolean> {
    const found = await this.#destroyAll(objectId, mayGo);
    // An empty search may also mean that the token cannot read its storage now.
    if (!found) await this.#proveStorage();
    const left = await this.#search(objectId);
    if (left.length > 0) throw new TokenError('device', 'A destroyed object is still in the token');
    this.dismiss(objectId);
    return found;
  }

  /** CKA_ID of every material of this service in the token, and of those with an id among `adopted`. */
  async objectIds(adopted: readonly Uint8Array[] = []): Promise<readonly Uint8Array[]> {
    const ids = new Set(adopted.map(toHex));
    const keys = (await this.#find({})).filter((key) => isMaterial(key) || ids.has(toHex(key.attributes.ID ?? new Uint8Array())));
    return keys.map(({ attributes }) => attributes.ID!);
  }

  async #locate(objectId: Uint8Array): Promise<TokenObject> {
    const listing = await this.#listed();
    const listed = listing.get(toHex(objectId));
    if (listed !== undefined && this.#token.isCurrent(listed)) return listed;
    const [found, ...more] = await this.#search(objectId);
    if (found === undefined && listing.size === 0) await this.#proveStorage();
    if (more.length > 0)
      throw new KeyStoreError('material-missing', 'The token holds several objects with the id of this key material; none of them is used');
    if (found === undefined)
      throw new KeyStoreError('material-missing', 'The token does not show this key material now; it is not taken for deleted');
    this.#amend((current) => current.set(toHex(objectId), found.object));
    return found.object;
  }

  /** Changes the listing that there is or will be; without one there is nothing to change. */
  #amend(change: (listing: Map<string, TokenObject>) => unknown): void {
    this.#listing?.then(change, () => undefined);
  }

  async #listed(): Promise<Map<string, TokenObject>> {
    const listing = (this.#listing ??= this.#list());
    try {
      return await listing;
    } catch (error) {
      if (this.#listing === listing) this.#listing = undefined;
      throw error;
    }
  }

  /** Ids that occur twice are left out, so that the search reports them. */
  async #list(): Promise<Map<string, TokenObject>> {
    const objects = await this.#materials();
    const listed = new Map<string, TokenObject>();
    const repeated = new Set<string>();
    for (const { object, attributes } of objects) {
      const id = toHex(attributes.ID!);
      if (listed.has(id)) repeated.add(id);
      listed.set(id, object);
    }
    for (const id of repeated) listed.delete(id);
    return listed;
  }

  async #search(objectId: Uint8Array): Promise<readonly DescribedObject[]> {
    return this.#find({ ID: objectId });
  }

  async #materials(): Promise<readonly DescribedObject[]> {
    return (await this.#find({})).filter(isMaterial);
  }

  async #find(more: Template): Promise<readonly DescribedObject[]> {
    const found = await Promise.all(tokenKeys.map((keys) => this.#token.findObjects({ ...keys, ...more }, ['ID', 'LABEL'])));
    return found.flat();
  }

  /** After a refusal nobody looks for the object again: it goes now. After a fault the next attempt, or the intent, sees to it. */
  async #undo(object: TokenObject, error: unknown): Promise<never> {
    if (isRefusal(error)) await this.#token.destroyObject(object);
    throw error;
  }

  async #destroyAll(objectId: Uint8Array, mayGo: (object: DescribedObject) => boolean = isOurs): Promise<boolean> {
    const found = await this.#search(objectId);
    // Ids come from the metadata store: whoever writes to it must not reach the wrapping key, or what belongs to others.
    if (!found.every(mayGo)) throw new KeyStoreError('refused', 'The token object of this id is no key material; it is not destroyed');
    for (const { object } of found) await this.#token.destroyObject(object);
    return found.length > 0;
  }

  /** Makes, finds and destroys a witness: only a token that shows it can be believed when it shows nothing. */
  async #proveStorage(): Promise<void> {
    const objectId = randomBytes(16);
    await witnessKind.generate(this.#token, residentTemplate(witnessKind, { id: objectId, label: witnessLabel }), []);
    const found = await this.#destroyAll(objectId);
    if (!found) throw new TokenError('device', 'The token does not show an object that it has just made');
  }
}

/** The names of the token object of a material. */
export function residentNames({ key, objectId }: MaterialRequest): ObjectNames {
  return { id: objectId, label: `hsm-kms ${key.keyId.slice(0, 8)}` };
}

function isMaterial({ attributes }: DescribedObject): boolean {
  return attributes.ID?.length === 16 && labelPattern.test(attributes.LABEL ?? '');
}

function isOthers({ attributes }: DescribedObject): boolean {
  return attributes.LABEL?.startsWith('hsm-kms ') !== true;
}

function isOurs(object: DescribedObject): boolean {
  const { LABEL: label } = object.attributes;
  return isMaterial(object) || label === witnessLabel || label === importKeyLabel;
}

/** A call without an answer may still make its object: running it again could leave two objects of one id. */
export function neverTwice(error: unknown): never {
  if (!(error instanceof TokenError) || error.kind !== 'overdue') throw error;
  throw new KeyStoreError('timeout', 'The token did not answer in time while it made a key', { cause: error });
}
