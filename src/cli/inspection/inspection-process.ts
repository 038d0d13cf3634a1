/**
 * A process of its own that looks at one PKCS#11 module through graphene-pk11 and pkcs11js: bindings that share no code with ours,
 * called synchronously. Reads one request as JSON from standard input, PINs included; prints the answer as JSON.
 */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { Module, SessionFlag, type Slot, type Token, UserType } from 'graphene-pk11';
import pkcs11js from 'pkcs11js';
import type { InspectedMechanism, InspectedObject, InspectedToken, InspectionRequest } from './inspection.ts';

const labelBytes = 32;
const objectsMax = 100_000;
const flags = [
  'TOKEN', 'PRIVATE', 'SENSITIVE', 'EXTRACTABLE', 'ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE', 'LOCAL', 'TRUSTED', 'WRAP_WITH_TRUSTED',
  'MODIFIABLE', 'ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE',
] as const; // prettier-ignore

const request = JSON.parse(readFileSync(0, 'utf8')) as InspectionRequest;
writeSync(1, JSON.stringify(answer(request)));

function answer(wanted: InspectionRequest): unknown {
  if (!existsSync(wanted.module)) throw new Error(`there is no module at ${wanted.module}`);
  const library = Module.load(wanted.module);
  // The binding cuts off the last character of libraryParameters: a blank is sacrificed.
  library.initialize(
    wanted.reserved === undefined ? undefined : { flags: pkcs11js.CKF_OS_LOCKING_OK, libraryParameters: `${wanted.reserved} ` },
  );
  try {
    if (wanted.task === 'initialize') return initializeToken(library, wanted);
    const slot = findSlot(library, wanted);
    if (wanted.task === 'info') return describeToken(library, slot);
    return describeObjects(slot, wanted.pin);
  } finally {
    library.finalize();
  }
}

function findSlot(library: Module, wanted: { label?: string | undefined; serial?: string | undefined }): Slot {
  const present = tokens(library);
  const found = present.filter(({ token }) => {
    return (
      (wanted.label === undefined || token.label.trim() === wanted.label) &&
      (wanted.serial === undefined || token.serialNumber.trim() === wanted.serial)
    );
  });
  const name = wanted.label === undefined ? `serial ${wanted.serial ?? ''}` : `label '${wanted.label}'`;
  const labels = present.map(({ token }) => `'${token.label.trim()}'`).join(', ') || 'none';
  if (found.length > 1) throw new Error(`there are ${found.length} tokens with ${name}: name one by its serial`);
  const [only] = found;
  if (only === undefined) throw new Error(`there is no token with ${name}; tokens present: ${labels}`);
  return only.slot;
}

function tokens(library: Module): readonly { slot: Slot; token: Token }[] {
  const slots = library.getSlots(true);
  return Array.from({ length: slots.length }, (_, index) => slots.items(index)).map((slot) => ({ slot, token: slot.getToken() }));
}

/** Takes the first slot whose token is not initialised, never another. */
function initializeToken(library: Module, wanted: { label: string; pin: string; soPin: string }): InspectedToken {
  if (tokens(library).some(({ token }) => token.label.trim() === wanted.label))
    throw new Error(`there is already a token labelled '${wanted.label}'`);
  const free = tokens(library).find(({ token }) => (token.flags & pkcs11js.CKF_TOKEN_INITIALIZED) === 0);
  if (free === undefined) throw new Error('there is no slot with a token that is not initialised');
  // The binding passes the label as it is, and the module reads 32 bytes of it.
  free.slot.lib.C_InitToken(free.slot.handle, wanted.soPin, wanted.label.padEnd(labelBytes));
  const slot = findSlot(library, { label: wanted.label });
  const session = slot.open(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION);
  session.login(wanted.soPin, UserType.SO);
  session.initPin(wanted.pin);
  session.logout();
  session.close();
  return describeToken(library, slot);
}

function describeToken(library: Module, slot: Slot): InspectedToken {
  const token = slot.getToken();
  return {
    module: library.libFile,
    library: `${library.libraryDescription.trim()} ${library.libraryVersion.major}.${library.libraryVersion.minor}`,
    cryptoki: `${library.cryptokiVersion.major}.${library.cryptokiVersion.minor}`,
    label: token.label.trim(),
    serial: token.serialNumber.trim(),
    manufacturer: token.manufacturerID.trim(),
    model: token.model.trim(),
    initialized: (token.flags & pkcs11js.CKF_TOKEN_INITIALIZED) !== 0,
    pinSet: (token.flags & pkcs11js.CKF_USER_PIN_INITIALIZED) !== 0,
    pinCountLow: (token.flags & pkcs11js.CKF_USER_PIN_COUNT_LOW) !== 0,
    pinFinalTry: (token.flags & pkcs11js.CKF_USER_PIN_FINAL_TRY) !== 0,
    pinLocked: (token.flags & pkcs11js.CKF_USER_PIN_LOCKED) !== 0,
    mechanisms: describeMechanisms(slot),
  };
}

function describeMechanisms(slot: Slot): readonly InspectedMechanism[] {
  const mechanisms = slot.getMechanisms();
  return Array.from({ length: mechanisms.length }, (_, index) => mechanisms.items(index)).map((mechanism) => ({
    name: mechanism.name,
    number: mechanism.type,
    keyMin: mechanism.minKeySize,
    keyMax: mechanism.maxKeySize,
  }));
}

function describeObjects(slot: Slot, pin: string | undefined): readonly InspectedObject[] {
  const session = slot.open(SessionFlag.SERIAL_SESSION);
  try {
    if (pin !== undefined) session.login(pin);
    const found: InspectedObject[] = [];
    session.find((object) => {
      found.push(describeObject(slot, session.handle, object.handle));
      return found.length < objectsMax ? undefined : false;
    });
    return found;
  } finally {
    session.close();
  }
}

function describeObject(slot: Slot, session: Buffer, object: Buffer): InspectedObject {
  // One attribute a call: the binding throws when any one of several cannot be read.
  const read = (type: number): Buffer | undefined => {
    try {
      return slot.lib.C_GetAttributeValue(session, object, [{ type }])[0]?.value;
    } catch {
      return undefined;
    }
  };
  const constants = pkcs11js as unknown as Readonly<Record<string, number>>;
  const isSet = (flag: string): boolean => read(constants[`CKA_${flag}`] ?? 0)?.[0] === 1;
  return {
    class: nameOf('CKO_', read(pkcs11js.CKA_CLASS)),
    keyType: nameOf('CKK_', read(pkcs11js.CKA_KEY_TYPE)),
    label: read(pkcs11js.CKA_LABEL)?.toString('utf8') ?? '',
    id: read(pkcs11js.CKA_ID)?.toString('hex') ?? '',
    flags: flags.filter(isSet),
    valueReadable: (read(pkcs11js.CKA_VALUE)?.length ?? 0) > 0,
  };
}

/** The constant's name without its prefix, for example SECRET_KEY. */
function nameOf(prefix: 'CKO_' | 'CKK_', value: Buffer | undefined): string {
  if (value === undefined || value.length < 4) return '';
  const number = value.readUInt32LE(0);
  const name = Object.entries(pkcs11js).find(([key, candidate]) => key.startsWith(prefix) && candidate === number)?.[0];
  return name?.slice(prefix.length) ?? `0x${number.toString(16)}`;
}
