/**
 * The two keys that tokens share so that materials of multi-Region keys can pass between them: the transport key, under which a material
 * is wrapped, and the key of the MAC that says for which KMS key. A ceremony with the PINs of the security officers makes them anew in
 * all tokens that take part; nothing that is kept is wrapped under them. A single token may take part alone, for its own Regions.
 */
import { randomBytes } from 'node:crypto';
import type { TokenConfig } from '../config/config.ts';
import { callClasses } from './call-classes.ts';
import type { CallClasses } from './call-classes.ts';
import { Connection } from './connection.ts';
import type { Cryptoki, ObjectHandle } from './cryptoki.ts';
import { attributesToCheck, weaknesses } from './key-strength.ts';
import type { Mechanism, Template } from './mechanism.ts';
import { openConfiguredCryptoki } from './open-token.ts';
import { becomeSecurityOfficer } from './service-keys.ts';
import type { ProvisioningParts } from './service-keys.ts';
import { ceremonyPrivate, ceremonyPublic, leavingOnce, transportKey, transportMacKey, without } from './templates.ts';
import { TokenError, throwTokenError } from './token-error.ts';

export const TRANSPORT_KEY_LABEL = 'hsm-kms transport key';
export const TRANSPORT_MAC_KEY_LABEL = 'hsm-kms transport mac key';

/** What the MAC key signs so that tokens with the same keys know each other. */
export const transportIdentityInput: Uint8Array = Buffer.from('hsm-kms transport identity v1', 'ascii');

/** A token that takes part, with the PINs for it. */
export interface Participant extends ProvisioningParts {
  readonly config: TokenConfig;
}

/** SoftHSM 2.6 has OAEP with SHA-1 only, which is as good here: OAEP needs no collision resistance. */
const CARRIED: Mechanism = { name: 'RSA_PKCS_OAEP', hash: 'SHA_1' };
const kinds = [
  { label: TRANSPORT_KEY_LABEL, template: transportKey, mechanism: { name: 'AES_KEY_GEN' } },
  { label: TRANSPORT_MAC_KEY_LABEL, template: transportMacKey, mechanism: { name: 'GENERIC_SECRET_KEY_GEN' } },
] as const;

/**
 * Makes both keys in the first token and carries them to every one, each time under an RSA key that the receiving token made for this and
 * that ends with the ceremony. What the tokens had before is destroyed. Resolves to the identity that they share (32 bytes). Rejects with
 * TokenError: `pin` for a wrong PIN, `unsupported` for a token without a security officer, `weaker-key` when a token makes less of a key
 * than was asked for. After a failure no token is left with half of the keys that it can be told from by name: repeat the ceremony.
 */
export async function provisionTransportKeys(participants: readonly Participant[]): Promise<Uint8Array> {
  const desks: CeremonyDesk[] = [];
  try {
    for (const participant of participants) desks.push(await CeremonyDesk.open(participant));
    const [source] = desks;
    if (source === undefined) throw new TokenError('input', 'no token takes part');
    for (const desk of desks) await desk.clear();
    for (const { label, template, mechanism } of kinds) {
      const names = { id: randomBytes(16), label };
      const made = await source.generate(mechanism, leavingOnce(template(names)));
      for (const desk of desks) await desk.receive(await source.wrapFor(desk, made), template(names));
    }
    return await sharedIdentity(desks);
  } catch (error) {
    for (const desk of desks) await desk.clear().catch(() => undefined);
    return throwTokenError(error);
  } finally {
    for (const desk of desks) await desk.close();
  }
}

async function sharedIdentity(desks: readonly CeremonyDesk[]): Promise<Uint8Array> {
  const identities: Uint8Array[] = [];
  for (const desk of desks) identities.push(await desk.identity());
  const [first] = identities;
  if (first === undefined || identities.some((identity) => Buffer.compare(identity, first) !== 0))
    throw new TokenError('device', 'the tokens do not have the same transport keys after the ceremony; they were destroyed');
  return first;
}

/** One token of the ceremony, its security officer logged in. Only what is not PRIVATE can be reached then. */
class CeremonyDesk {
  readonly #connection: Connection;
  readonly #cryptoki: Cryptoki;
  readonly #calls: CallClasses;
  readonly #config: TokenConfig;
  #pair: { readonly publicKey: Template; readonly privateKey: ObjectHandle } | undefined;

  private constructor(connection: Connection, calls: CallClasses, config: TokenConfig) {
    this.#connection = connection;
    this.#cryptoki = connection.cryptoki;
    this.#calls = calls;
    this.#config = config;
  }

  static async open({ config, soPin, ...parts }: Participant): Promise<CeremonyDesk> {
    const calls = callClasses(config.deadlinesMs);
    const { openCryptoki = openConfiguredCryptoki, ...rest } = parts;
    const connection = await Connection.open({ ...rest, config, calls, openCryptoki });
    const desk = new CeremonyDesk(connection, calls, config);
    try {
      if (soPin === undefined || !(await becomeSecurityOfficer(connection, calls, soPin)))
        throw new TokenError('unsupported', `token ${config.name} has no security officer, who alone can mark a transport key as trusted`);
      return desk;
    } catch (error) {
      await desk.close();
      throw error;
    }
  }

  async clear(): Promise<void> {
    for (const { label } of kinds) {
      const found = await this.#cryptoki.findObjects({ CLASS: 'SECRET_KEY', TOKEN: true, LABEL: label }, [], this.#calls.slow);
      for (const { handle } of found) await this.#cryptoki.destroyObject(handle, this.#calls.slow);
    }
  }

  async generate(mechanism: Mechanism, template: Template): Promise<ObjectHandle> {
    return (await this.#cryptoki.generateKey(mechanism, template, [], this.#calls.slow)).handle;
  }

  async wrapFor(receiver: CeremonyDesk, key: ObjectHandle): Promise<Uint8Array> {
    const { publicKey } = await receiver.#receivingPair();
    const { handle } = await this.#cryptoki.createObject(publicKey, [], this.#calls.slow);
    try {
      return await this.#cryptoki.wrapKey(CARRIED, handle, key, this.#calls.slow);
    } finally {
      await this.#cryptoki.destroyObject(handle, this.#calls.slow);
    }
  }

  /** What is weaker than `template` is left to `clear`. */
  async receive(wrapped: Uint8Array, wanted: Template): Promise<void> {
    // The length comes with the key.
    const template = without(wanted, new Set(['VALUE_LEN']));
    const { privateKey } = await this.#receivingPair();
    const names = attributesToCheck(template, ['TRUSTED', 'UNWRAP_TEMPLATE']);
    const asked = without(template, new Set(this.#config.omitAttributes));
    const { attributes } = await this.#cryptoki.unwrapKey(CARRIED, privateKey, wrapped, asked, names, this.#calls.slow);
    const weak = weaknesses(template, attributes, names);
    if (weak.length === 0) return;
    const finding = `token ${this.#config.name} made "${template.LABEL}" weaker than asked for (${weak.join(', ')})`;
    throw new TokenError('weaker-key', `${finding}; it was destroyed`);
  }

  async identity(): Promise<Uint8Array> {
    const [key] = await this.#cryptoki.findObjects(
      { CLASS: 'SECRET_KEY', TOKEN: true, LABEL: TRANSPORT_MAC_KEY_LABEL },
      [],
      this.#calls.slow,
    );
    if (key === undefined) throw new TokenError('device', `token ${this.#config.name} does not show the key that it has just received`);
    return this.#cryptoki.sign({ name: 'SHA256_HMAC' }, key.handle, transportIdentityInput, this.#calls.slow);
  }

  /** The pair is of the session, and ends with it. */
  close(): Promise<void> {
    return this.#connection.cryptoki.close(this.#config.graceMs);
  }

  async #receivingPair(): Promise<{ readonly publicKey: Template; readonly privateKey: ObjectHandle }> {
    if (this.#pair !== undefined) return this.#pair;
    const { publicKey, privateKey } = await this.#cryptoki.generateKeyPair(
      { name: 'RSA_PKCS_KEY_PAIR_GEN' },
      ceremonyPublic,
      ceremonyPrivate,
      ['MODULUS', 'PUBLIC_EXPONENT'],
      this.#calls.keyGeneration,
    );
    const { MODULUS_BITS: _, ...form } = ceremonyPublic;
    const { MODULUS, PUBLIC_EXPONENT } = publicKey.attributes;
    if (MODULUS === undefined || PUBLIC_EXPONENT === undefined)
      throw new TokenError('device', `token ${this.#config.name} does not show the public key that it has just made`);
    this.#pair = { publicKey: { ...form, MODULUS, PUBLIC_EXPONENT }, privateKey: privateKey.handle };
    return this.#pair;
  }
}
