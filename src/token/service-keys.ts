/**
 * The two keys that a token needs before it can keep materials outside: the wrapping key, made by the security officer, and
 * the key whose MAC binds exported materials to their KMS keys. `hsm-kms token init` makes them, once for each token.
 */
import { randomBytes } from 'node:crypto';
import type { TokenConfig } from '../config/config.ts';
import { toHex } from '../bytes.ts';
import type { Log } from '../log.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import { callClasses } from './call-classes.ts';
import type { CallClasses } from './call-classes.ts';
import { Connection } from './connection.ts';
import { CryptokiError } from './cryptoki.ts';
import type { CreatedObject, Cryptoki } from './cryptoki.ts';
import { attributesToCheck, weaknesses } from './key-strength.ts';
import type { AttributeName, Mechanism, Template } from './mechanism.ts';
import { openConfiguredCryptoki } from './open-token.ts';
import type { PinLatch } from './pin-latch.ts';
import { OPTIONAL_ATTRIBUTES, recordMacKey, without, wrappingKey } from './templates.ts';
import { TokenError, mayBeTemplate, throwTokenError, tokenErrorFrom } from './token-error.ts';

export const WRAPPING_KEY_LABEL = 'hsm-kms wrapping key';
export const RECORD_MAC_KEY_LABEL = 'hsm-kms record mac key';

export interface ProvisioningParts {
  readonly log: Log;
  /** The user PIN. Each call hands over a copy, which is wiped. */
  readonly pin: () => Promise<SecretBytes>;
  readonly pinLatch: PinLatch;
  /** The PIN of the security officer, wiped after use. Undefined for a token that has none: the wrapping key is then not TRUSTED. */
  readonly soPin: (() => Promise<SecretBytes>) | undefined;
  readonly openCryptoki?: (config: TokenConfig) => Promise<Cryptoki>;
}

/** A key that is in the token now. */
export interface ServiceKey {
  readonly label: string;
  /** CKA_ID, hexadecimal. */
  readonly id: string;
  /** False when it was there before. */
  readonly created: boolean;
}

export interface ProvisioningReport {
  readonly wrappingKey: ServiceKey & {
    /** Marked by the security officer: keys with WRAP_WITH_TRUSTED can leave under it. */
    readonly trusted: boolean;
    /** It has the CKA_UNWRAP_TEMPLATE that keeps what it unwraps inside. */
    readonly unwrapTemplate: boolean;
  };
  readonly recordMacKey: ServiceKey;
}

const CKR_USER_TYPE_INVALID = 0x103;
const AES_KEY_GEN: Mechanism = { name: 'AES_KEY_GEN' };
const SECRET_KEY_GEN: Mechanism = { name: 'GENERIC_SECRET_KEY_GEN' };
const READ_BACK: readonly AttributeName[] = ['ID', 'TRUSTED', 'UNWRAP_TEMPLATE'];

/**
 * Makes the keys that are missing and reports both. Repeating it changes nothing. Rejects with TokenError: `pin` for a wrong PIN (not
 * tried again), `refused` when there are two keys of one name (which one is right is for an operator to say).
 */
export async function provisionWrappingKeys(config: TokenConfig, parts: ProvisioningParts): Promise<ProvisioningReport> {
  const calls = callClasses(config.deadlinesMs);
  const { openCryptoki = openConfiguredCryptoki, ...rest } = parts;
  const connection = await Connection.open({ ...rest, config, calls, openCryptoki });
  try {
    const desk = new KeyDesk(connection, calls, config);
    const wrapping = await desk.findOne(WRAPPING_KEY_LABEL);
    const mac = (await desk.findOne(RECORD_MAC_KEY_LABEL)) ?? (await desk.make(SECRET_KEY_GEN, recordMacKey(names(RECORD_MAC_KEY_LABEL))));
    return report(wrapping ?? (await makeWrappingKey(desk, parts.soPin)), mac);
  } catch (error) {
    return throwTokenError(error);
  } finally {
    await connection.cryptoki.close(config.graceMs);
  }
}

interface FoundKey {
  readonly attributes: Template;
  readonly created: boolean;
}

function names(label: string): { id: Uint8Array; label: string } {
  return { id: randomBytes(16), label };
}

function report(wrapping: FoundKey, mac: FoundKey): ProvisioningReport {
  const describe = (label: string, { attributes, created }: FoundKey): ServiceKey => ({
    label,
    id: toHex(attributes.ID ?? new Uint8Array()),
    created,
  });
  const template = wrapping.attributes.UNWRAP_TEMPLATE;
  return {
    wrappingKey: {
      ...describe(WRAPPING_KEY_LABEL, wrapping),
      trusted: wrapping.attributes.TRUSTED === true,
      unwrapTemplate: template?.SENSITIVE === true && template.EXTRACTABLE === false,
    },
    recordMacKey: describe(RECORD_MAC_KEY_LABEL, mac),
  };
}

/** As the security officer where there is one; a token without that role (NSS) gets a key that is not TRUSTED. */
async function makeWrappingKey(desk: KeyDesk, soPin: ProvisioningParts['soPin']): Promise<FoundKey> {
  if (soPin === undefined || !(await becomeSecurityOfficer(desk.connection, desk.calls, soPin)))
    return desk.make(AES_KEY_GEN, wrappingKey(names(WRAPPING_KEY_LABEL), false));
  return desk.make(AES_KEY_GEN, wrappingKey(names(WRAPPING_KEY_LABEL), true), ['TRUSTED', 'UNWRAP_TEMPLATE']);
}

/** Logs the security officer in. Resolves to false, with the user logged in again, when the token has no such role. */
export async function becomeSecurityOfficer(connection: Connection, calls: CallClasses, soPin: () => Promise<SecretBytes>): Promise<boolean> {
  const pin = await soPin();
  try {
    await connection.cryptoki.logout(calls.slow);
    await connection.cryptoki.login('SO', pin, calls.start);
    return true;
  } catch (error) {
    if (!(error instanceof CryptokiError) || error.returnValue !== CKR_USER_TYPE_INVALID) throw error;
    await connection.renewLogin();
    return false;
  } finally {
    pin.wipe();
  }
}

/** Finds and makes token keys over a connection whose login changes. */
class KeyDesk {
  readonly connection: Connection;
  readonly calls: CallClasses;
  readonly #cryptoki: Cryptoki;
  readonly #omitted: ReadonlySet<string>;
  readonly #tokenLabel: string;

  constructor(connection: Connection, calls: CallClasses, config: TokenConfig) {
    this.connection = connection;
    this.#cryptoki = connection.cryptoki;
    this.calls = calls;
    this.#omitted = new Set(config.omitAttributes);
    this.#tokenLabel = connection.slot.label;
  }

  async findOne(label: string): Promise<FoundKey | undefined> {
    const found = await this.#cryptoki.findObjects({ CLASS: 'SECRET_KEY', TOKEN: true, LABEL: label }, READ_BACK, this.calls.slow);
    if (found.length > 1) {
      const ids = found.map(({ attributes }) => toHex(attributes.ID ?? new Uint8Array())).join(', ');
      throw new TokenError(
        'refused',
        `token "${this.#tokenLabel}" has ${found.length} keys labelled "${label}" (CKA_ID ${ids}): keep the one in use and remove the others with its maker's tool`,
      );
    }
    const [key] = found;
    return key === undefined ? undefined : { attributes: key.attributes, created: false };
  }

  /** Generates a token key, without the attributes that the token does not know and that are not `essential`, and checks it. */
  async make(mechanism: Mechanism, template: Template, essential: readonly AttributeName[] = []): Promise<FoundKey> {
    const asked = without(template, this.#omitted);
    const dispensable = new Set<string>(
      [...OPTIONAL_ATTRIBUTES, 'UNWRAP_TEMPLATE'].filter((name) => !(essential as readonly string[]).includes(name)),
    );
    const { handle, attributes } = await this.#generate(mechanism, asked).catch((error: unknown) => {
      const failure = tokenErrorFrom(error);
      if (!(failure instanceof TokenError) || !mayBeTemplate(failure)) throw failure;
      return this.#generate(mechanism, without(asked, dispensable));
    });
    const weak = weaknesses(template, attributes, attributesToCheck(template, essential));
    if (weak.length === 0) return { attributes, created: true };
    await this.#cryptoki.destroyObject(handle, this.calls.slow);
    throw new TokenError(
      'weaker-key',
      `token "${this.#tokenLabel}" made "${template.LABEL}" weaker than asked for (${weak.join(', ')}); it was destroyed`,
    );
  }

  #generate(mechanism: Mechanism, template: Template): Promise<CreatedObject> {
    const readBack = [...new Set([...READ_BACK, ...attributesToCheck(template, [])])];
    return this.#cryptoki.generateKey(mechanism, template, readBack, this.calls.slow);
  }
}
