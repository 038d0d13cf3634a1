/**
 * Materials of multi-Region keys between tokens, and between the Regions of one: wrapped in the sending token under the transport key that
 * a ceremony put into both (`token/transport-keys.ts`), with a MAC made there that binds them to key, sender and receiver. Nothing of a
 * material is ever outside of a token in clear.
 */
import { equalConstantTime } from '../../bytes.ts';
import { isSymmetricMaterial } from '../../keys/key-record.ts';
import type { MaterialRecord } from '../../keys/key-record.ts';
import type { Mechanism } from '../../token/mechanism.ts';
import { TRANSPORT_KEY_LABEL, TRANSPORT_MAC_KEY_LABEL, transportIdentityInput } from '../../token/transport-keys.ts';
import type { DescribedObject, Token, TokenObject } from '../../token/token.ts';
import { KeyStoreError } from '../keystore.ts';
import type { BoundKey, MaterialRequest, TransportedMaterial, TransportPeers } from '../keystore.ts';
import { encodeBinding } from '../material-binding.ts';
import type { MaterialBinding } from '../material-binding.ts';
import type { CreatedMaterial, MaterialKind } from './material-kind.ts';
import { arrivingTemplate } from './material-templates.ts';
import { residentNames } from './resident-materials.ts';
import type { ResidentMaterials } from './resident-materials.ts';

const purpose = 'hsm-kms transported token material v1';
const macBytes = 32;
/** Ids of multi-Region keys begin so; those of no other key do. The material is bound to the id. */
const multiRegionPrefix = 'mrk-';

interface TransportKeys {
  readonly wrapping: TokenObject;
  readonly mac: TokenObject;
}

export class TokenTransport {
  readonly #name: string;
  readonly #token: Token;
  readonly #resident: ResidentMaterials;
  readonly #peers: TransportPeers | undefined;

  /** `name` is the key store's. Without `peers` it is only the other end of itself. */
  constructor(name: string, token: Token, resident: ResidentMaterials, peers: TransportPeers | undefined) {
    this.#name = name;
    this.#token = token;
    this.#resident = resident;
    this.#peers = peers;
  }

  /** What tokens with the same transport keys have in common (32 bytes). Undefined for a token that no ceremony has given any. */
  async identity(): Promise<Uint8Array | undefined> {
    const [key] = await this.#find(TRANSPORT_MAC_KEY_LABEL);
    return key && this.#token.sign({ name: 'SHA256_HMAC' }, key.object, transportIdentityInput);
  }

  /** Rejects with KeyStoreError `unsupported` or `refused` where a material could not leave, or could leave in other ways as well. */
  async assertReady(): Promise<void> {
    const { kwp, hmacSha256, honoursExtractable, honoursWrapWithTrusted, honoursUnwrapAttributes, enforcesUnwrapTemplate } =
      this.#token.capabilities;
    const token = `The token "${this.#token.name}"`;
    if (kwp === undefined || !hmacSha256)
      throw new KeyStoreError('unsupported', `${token} cannot exchange key material: it needs AES-KWP and HMAC-SHA-256`);
    if (!honoursExtractable || !honoursWrapWithTrusted || !honoursUnwrapAttributes || !enforcesUnwrapTemplate)
      throw refused(`${token} does not keep key material that can travel: it was measured to let it out under keys that are not trusted`);
    await this.#keys();
  }

  async wrap(bound: BoundKey, kind: MaterialKind, to: string): Promise<Uint8Array> {
    if (!bound.key.keyId.startsWith(multiRegionPrefix) || bound.material.residency !== 'token')
      throw refused('The key material was not made to leave its token: the key is not a multi-Region key.');
    await this.#assertPeer(to);
    await this.assertReady();
    const object = await this.#resident.open(bound, kind);
    const keys = await this.#keys();
    const wrapped = await this.#token.wrapKey(this.#mechanism(), keys.wrapping, object);
    return Buffer.concat([wrapped, await this.#mac(keys, bindingOf(bound, bound.material), [this.#name, to], wrapped)]);
  }

  /** The material, in this token and proven. `again` as for `ResidentMaterials.create`. */
  async receive(
    request: MaterialRequest,
    { material, wrapped: sent, from }: TransportedMaterial,
    kindOf: () => MaterialKind,
    again: boolean,
  ): Promise<CreatedMaterial> {
    await this.#assertPeer(from);
    await this.assertReady();
    const keys = await this.#keys();
    const macAt = Math.max(0, sent.length - macBytes);
    const wrapped = sent.subarray(0, macAt);
    const mac = await this.#mac(keys, bindingOf(request, material), [from, this.#name], wrapped);
    if (!equalConstantTime(mac, sent.subarray(macAt))) throw notOpened(from);
    const kind = kindOf();
    const template = arrivingTemplate(kind, residentNames(request));
    const { publicKey } = material;
    const created = await this.#resident.take(request, kind, again, async () => {
      const { object } = await this.#token.unwrapKey(this.#mechanism(), keys.wrapping, wrapped, template);
      return { object, ...(publicKey && { publicKey }) };
    });
    if (created.materialId === material.materialId && equalConstantTime(created.fingerprint, material.fingerprint)) return created;
    await this.#resident.destroy(request.objectId);
    throw notOpened(from);
  }

  /** Peers are pinned by the operator, and have the same keys; a store needs no pin of itself. */
  async #assertPeer(name: string): Promise<void> {
    if (name === this.#name) return;
    if (this.#peers === undefined) throw refused(`The key store ${this.#name} exchanges no key material with ${name}.`);
    const [theirs, own] = [await this.#peers.publicKeyOf(name), await this.identity()];
    if (own !== undefined && equalConstantTime(theirs, own)) return;
    throw refused(`The tokens of ${this.#name} and ${name} have no transport keys in common: run hsm-kms token transport for both at once.`);
  }

  /** Both keys. Rejects with KeyStoreError `refused` unless they are as the ceremony made them. */
  async #keys(): Promise<TransportKeys> {
    const [wrapping, ...more] = await this.#find(TRANSPORT_KEY_LABEL);
    const [mac, ...others] = await this.#find(TRANSPORT_MAC_KEY_LABEL);
    if (wrapping === undefined || mac === undefined)
      throw refused(`The token "${this.#token.name}" has no transport keys, as multi-Region keys need them. Run: hsm-kms token transport`);
    const { TRUSTED, ENCRYPT, DECRYPT, UNWRAP_TEMPLATE: forced } = wrapping.attributes;
    const isTrusted = TRUSTED === true && ENCRYPT === false && DECRYPT === false && stays(wrapping) && stays(mac);
    const isForced = forced?.SENSITIVE === true && forced.WRAP_WITH_TRUSTED === true;
    if (more.length > 0 || others.length > 0 || !isTrusted || !isForced)
      throw refused(`The transport keys of the token "${this.#token.name}" are not as they were made. Make them anew: hsm-kms token transport`);
    return { wrapping: wrapping.object, mac: mac.object };
  }

  #find(label: string): Promise<readonly DescribedObject[]> {
    return this.#token.findObjects({ CLASS: 'SECRET_KEY', TOKEN: true, LABEL: label }, [
      'TRUSTED',
      'SENSITIVE',
      'EXTRACTABLE',
      'MODIFIABLE',
      'ENCRYPT',
      'DECRYPT',
      'UNWRAP_TEMPLATE',
    ]);
  }

  #mechanism(): Mechanism {
    const { kwp } = this.#token.capabilities;
    if (kwp === undefined) throw new KeyStoreError('unsupported', `The token "${this.#token.name}" has no AES-KWP`);
    return { name: kwp };
  }

  /** Names of key stores have no control characters, so no two pairs of them read the same. */
  #mac(keys: TransportKeys, binding: MaterialBinding, ends: readonly string[], wrapped: Uint8Array): Promise<Uint8Array> {
    const input = Buffer.concat([encodeBinding([purpose, ...ends].join('\0'), binding), wrapped]);
    return this.#token.sign({ name: 'SHA256_HMAC' }, keys.mac, input);
  }
}

function bindingOf(request: Pick<MaterialRequest, 'keySpec' | 'keyUsage' | 'key'> | BoundKey, material: MaterialRecord): MaterialBinding {
  const { keySpec, keyUsage } = 'material' in request ? request.key : request;
  const { custody, materialId, fingerprint } = material;
  const suite = isSymmetricMaterial(material) ? material.suite : 'none';
  return { key: request.key, keySpec, keyUsage, suite, custody, materialId, fingerprint };
}

function stays({ attributes: { SENSITIVE, EXTRACTABLE, MODIFIABLE } }: DescribedObject): boolean {
  return SENSITIVE === true && EXTRACTABLE === false && MODIFIABLE === false;
}

function refused(reason: string): KeyStoreError {
  return new KeyStoreError('refused', reason);
}

function notOpened(from: string): KeyStoreError {
  return new KeyStoreError('internal', `Key material from ${from} does not open; it is not used`);
}
