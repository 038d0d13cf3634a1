/**
 * The module through a door, in this process or in a token host: the same AES-256-GCM calls that the C program makes, with a
 * session key or a token key. Everything above the door (recovery, epochs, authorisation) is left out.
 */
import { randomBytes } from 'node:crypto';
import type { TokenConfig } from '../../config/config.ts';
import { readSecret } from '../../config/secret-source.ts';
import type { CallOptions, Cryptoki, ObjectHandle } from '../../token/cryptoki.ts';
import { openHostCryptoki } from '../../token/host/host-door.ts';
import type { Mechanism } from '../../token/mechanism.ts';
import { openInProcessCryptoki } from '../../token/native.ts';
import type { MeasuredOperation } from '../closed-loop.ts';
import type { Workload } from '../observation.ts';
import type { Subject } from './subject.ts';
import { unattendedSecrets } from './unattended-secrets.ts';

const AAD_BYTES = 64;
const IV_BYTES = 12;
const DATA_KEY_BYTES = 32;
const INPUTS = 64;
const CLOSE_GRACE_MS = 5_000;

/** Whose life the key shares: the session's, like an epoch key, or the token's. */
export type KeyLife = 'session' | 'token';

export class DoorSubject implements Subject {
  readonly role = 'service';
  readonly processes: Subject['processes'];
  readonly #door: Cryptoki;
  readonly #key: ObjectHandle;
  readonly #keyLife: KeyLife;
  readonly #fast: CallOptions;
  readonly #slow: CallOptions;
  readonly #aad: Uint8Array = randomBytes(AAD_BYTES);
  readonly #ivs = new UniqueIvs();

  private constructor(door: Cryptoki, key: ObjectHandle, keyLife: KeyLife, token: TokenConfig) {
    this.#door = door;
    this.#key = key;
    this.#keyLife = keyLife;
    this.#fast = { threads: 'fast', deadlineMs: token.deadlinesMs.fast };
    this.#slow = { threads: 'slow', deadlineMs: token.deadlinesMs.slow };
    this.processes = door.hostPid === undefined ? {} : { 'token host': door.hostPid };
  }

  /** Loads the module, logs in and makes the key. */
  static async open(token: TokenConfig, keyLife: KeyLife): Promise<DoorSubject> {
    const { environment, isolation } = token;
    const door = await (isolation === 'none' ? openInProcessCryptoki({ environment }) : openHostCryptoki({ environment }));
    try {
      await openToken(door, token);
      return new DoorSubject(door, await makeKey(door, token, keyLife), keyLife, token);
    } catch (error) {
      await door.close(CLOSE_GRACE_MS);
      throw error;
    }
  }

  async prepare(workload: Workload): Promise<MeasuredOperation> {
    const inputs = Array.from({ length: INPUTS }, () => randomBytes(workload.bytes));
    let next = 0;
    if (workload.operation === 'Encrypt') return () => this.#encrypt(this.#gcm(), inputs[next++ % INPUTS]!);
    if (workload.operation === 'GenerateDataKey') return () => this.#dataKey();
    const sealed = await Promise.all(inputs.map(async (input) => this.#seal(input)));
    return () => {
      const { mechanism, ciphertext } = sealed[next++ % INPUTS]!;
      return this.#door.decrypt(mechanism, this.#key, ciphertext, this.#fast);
    };
  }

  async close(): Promise<void> {
    if (this.#keyLife === 'token') await this.#door.destroyObject(this.#key, this.#slow);
    await this.#door.close(CLOSE_GRACE_MS);
  }

  #gcm(): Mechanism {
    return { name: 'AES_GCM', iv: this.#ivs.next(), aad: this.#aad, tagBits: 128, ivSource: 'supplied' };
  }

  #encrypt(mechanism: Mechanism, data: Uint8Array): Promise<Uint8Array> {
    return this.#door.encrypt(mechanism, this.#key, data, this.#fast);
  }

  async #seal(input: Uint8Array): Promise<{ mechanism: Mechanism; ciphertext: Uint8Array }> {
    const mechanism = this.#gcm();
    return { mechanism, ciphertext: await this.#encrypt(mechanism, input) };
  }

  /** What GenerateDataKey asks of the token: random bytes, then their encryption. */
  async #dataKey(): Promise<Uint8Array> {
    return this.#encrypt(this.#gcm(), await this.#door.random(DATA_KEY_BYTES, this.#fast));
  }
}

/** IVs that never repeat under one key: a random half and a counter. Overwritten by the next one: the door copies it at once. */
class UniqueIvs {
  readonly #iv = Buffer.from(randomBytes(IV_BYTES));
  #count = 0;

  next(): Uint8Array {
    this.#iv.writeUInt32BE(this.#count++, 0);
    return Uint8Array.from(this.#iv);
  }
}

async function openToken(door: Cryptoki, token: TokenConfig): Promise<void> {
  const start: CallOptions = { threads: 'slow', deadlineMs: token.deadlinesMs.start };
  const { nullArguments, osLocking, reserved } = token.initialize;
  const initialize = { nullArguments, osLocking, ...(reserved === undefined ? {} : { reserved }) };
  await door.load({ path: token.module, deepBind: token.deepBind, functionList: token.functionList, initialize }, start);
  const slots = await door.slots(start);
  const slot = slots.find((candidate) => candidate.label === token.label || candidate.serial === token.serial);
  if (slot === undefined) throw new Error(`No token with label ${token.label ?? '-'} or serial ${token.serial ?? '-'} in ${token.module}`);
  await door.openSessions(slot.slotId, token.threads, start);
  const pin = await readSecret(token.pin, `PIN of token ${token.name}`, unattendedSecrets);
  try {
    await door.login('USER', pin, start);
  } finally {
    pin.wipe();
  }
}

async function makeKey(door: Cryptoki, token: TokenConfig, keyLife: KeyLife): Promise<ObjectHandle> {
  const template = {
    CLASS: 'SECRET_KEY',
    KEY_TYPE: 'AES',
    TOKEN: keyLife === 'token',
    PRIVATE: true,
    SENSITIVE: true,
    EXTRACTABLE: false,
    LABEL: 'hsm-kms bench',
    VALUE_LEN: 32,
    ENCRYPT: true,
    DECRYPT: true,
  } as const;
  const options: CallOptions = { threads: keyLife === 'token' ? 'slow' : 'anchor', deadlineMs: token.deadlinesMs.keyGeneration };
  const { handle } = await door.generateKey({ name: 'AES_KEY_GEN' }, template, [], options);
  return handle;
}
