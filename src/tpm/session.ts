/**
 * A salted session: its key is known to the TPM and to this process only, so that what crosses the bus is authenticated by HMAC in
 * both directions, and a secret parameter is encrypted. Source: TPM 2.0 Library, Part 1, sections 19.6 (HMAC) and 21 (encryption of
 * parameters), appendix C.6.1 (salt by ECDH). Authorises entities whose authValue is empty.
 */
import { createCipheriv, createDecipheriv, createECDH, createHash, createHmac } from 'node:crypto';
import { concatBytes, equalConstantTime } from '../bytes.ts';
import { SecretBytes } from '../secret-bytes.ts';
import type { Authorization, AuthorizedCommand, AuthorizedResponse } from './authorization.ts';
import { kdfA, kdfE } from './key-derivation.ts';
import { TpmReader, TpmWriter, uint32 } from './marshalling.ts';
import { digestBytes, type EccPoint, writeEccPoint } from './structures.ts';
import { TpmError } from './tpm-error.ts';

export const nonceBytes = 32;

const curve = 'prime256v1';
const cipher = 'aes-128-cfb';
const cipherKeyBytes = 16;
const cipherIvBytes = 16;
const uncompressed = 0x04;
const success = new Uint8Array(4);

/** TPMA_SESSION (Part 2, section 8.4). */
const sessionAttributes = { continueSession: 0x01, decrypt: 0x20, encrypt: 0x40 } as const;

/** Which first parameter is encrypted: the command's, the response's, or none. */
export type ProtectedParameter = 'command' | 'response' | 'none';

const attributesFor: Readonly<Record<ProtectedParameter, number>> = {
  command: sessionAttributes.continueSession | sessionAttributes.decrypt,
  response: sessionAttributes.continueSession | sessionAttributes.encrypt,
  none: sessionAttributes.continueSession,
};

/** A fresh salt, and its form for the TPM that holds the private key of `point`. Throws where `point` is not on P-256. */
export function makeSalt(point: EccPoint): { readonly salt: SecretBytes; readonly encryptedSalt: Uint8Array } {
  const ephemeral = createECDH(curve);
  const own = ephemeral.generateKeys();
  const ownPoint = { x: own.subarray(1, 33), y: own.subarray(33) };
  const z = ephemeral.computeSecret(concatBytes(Uint8Array.of(uncompressed), point.x, point.y));
  const salt = new SecretBytes(kdfE(z, { label: 'SECRET', contextU: ownPoint.x, contextV: point.x, lengthBytes: digestBytes }));
  z.fill(0);
  const writer = new TpmWriter();
  writeEccPoint(writer, ownPoint);
  return { salt, encryptedSalt: writer.written() };
}

/** The nonces of the newest exchange. */
interface Nonces {
  caller: Uint8Array;
  tpm: Uint8Array;
}

/** A session that the TPM started with a salt. */
export class Session {
  readonly handle: number;
  readonly #key: SecretBytes;
  readonly #nonces: Nonces;
  readonly #random: (lengthBytes: number) => Uint8Array;

  /** `nonces` are those of TPM2_StartAuthSession. `salt` is wiped. */
  constructor(handle: number, salt: SecretBytes, nonces: Readonly<Nonces>, random: (lengthBytes: number) => Uint8Array) {
    const derivation = { label: 'ATH', contextU: nonces.tpm, contextV: nonces.caller, lengthBytes: digestBytes };
    this.handle = handle;
    this.#key = new SecretBytes(salt.expose((bytes) => kdfA(bytes, derivation)));
    this.#nonces = { ...nonces };
    this.#random = random;
    salt.wipe();
  }

  /** This session as the authorisation of one command. */
  authorizing(protectedParameter: ProtectedParameter): Authorization {
    const attributes = attributesFor[protectedParameter];
    return {
      authorize: (command, writer) => this.#authorize(command, attributes, writer),
      accept: (response, reader) => this.#accept(response, attributes, reader),
    };
  }

  wipe(): void {
    this.#key.wipe();
  }

  #authorize({ code, names, parameters }: AuthorizedCommand, attributes: number, writer: TpmWriter): void {
    this.#nonces.caller = this.#random(nonceBytes);
    const { caller, tpm } = this.#nonces;
    if ((attributes & sessionAttributes.decrypt) !== 0) this.#transform('encrypt', parameters, caller, tpm);
    const hash = createHash('sha256').update(uint32(code));
    for (const name of names) hash.update(name);
    const mac = this.#mac(hash.update(parameters).digest(), caller, tpm, attributes);
    writer.u32(this.handle).sized(caller).u8(attributes).sized(mac);
  }

  #accept({ code, parameters }: AuthorizedResponse, attributes: number, reader: TpmReader): void {
    this.#nonces.tpm = reader.sized(digestBytes).slice();
    const answered = reader.u8();
    const given = reader.sized(digestBytes);
    const { caller, tpm } = this.#nonces;
    const hash = createHash('sha256').update(success).update(uint32(code)).update(parameters).digest();
    if (answered !== attributes || !equalConstantTime(given, this.#mac(hash, tpm, caller, answered))) {
      const message =
        'an answer of the TPM is not authentic: something between it and this process alters messages. Do not trust this machine';
      throw new TpmError('tampered', message);
    }
    if ((attributes & sessionAttributes.encrypt) !== 0) this.#transform('decrypt', parameters, tpm, caller);
  }

  #mac(hash: Uint8Array, newer: Uint8Array, older: Uint8Array, attributes: number): Uint8Array {
    return this.#key.expose((key) =>
      createHmac('sha256', key).update(hash).update(newer).update(older).update(Uint8Array.of(attributes)).digest(),
    );
  }

  /** Encrypts or decrypts the content of the first parameter, a TPM2B, in place. */
  #transform(direction: 'encrypt' | 'decrypt', parameters: Uint8Array, newer: Uint8Array, older: Uint8Array): void {
    const reader = new TpmReader(parameters, 'the first parameter');
    const content = reader.sized(parameters.length);
    const derivation = { label: 'CFB', contextU: newer, contextV: older, lengthBytes: cipherKeyBytes + cipherIvBytes };
    const keyAndIv = this.#key.expose((key) => kdfA(key, derivation));
    const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
    const transformed = make(cipher, keyAndIv.subarray(0, cipherKeyBytes), keyAndIv.subarray(cipherKeyBytes)).update(content);
    content.set(transformed);
    transformed.fill(0);
    keyAndIv.fill(0);
  }
}
