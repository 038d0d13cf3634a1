/** The two placements of the door to a PKCS#11 module, for suites that hold for both, and a token opened behind one. */
import type { CallOptions, Cryptoki, ObjectHandle, ThreadClass } from '../../src/token/cryptoki.ts';
import { openHostCryptoki } from '../../src/token/host/host-door.ts';
import type { Template } from '../../src/token/mechanism.ts';
import { nativeBuildPath, openInProcessCryptoki } from '../../src/token/native.ts';
import type { ProvisionedToken } from './softhsm.ts';

type OpenDoor = (environment: Readonly<Record<string, string>>) => Promise<Cryptoki>;

export const PLACEMENTS: readonly { readonly placement: Cryptoki['placement']; readonly open: OpenDoor }[] = [
  { placement: 'process', open: (environment) => openHostCryptoki({ environment }) },
  { placement: 'in-process', open: (environment) => openInProcessCryptoki({ environment }) },
];

export const NULL_MODULE: string = nativeBuildPath('null-module.node');
export const SLOW_MODULE: string = nativeBuildPath('slow-module.node');

export const fast: CallOptions = { threads: 'fast', deadlineMs: 20_000 };
export const anchor: CallOptions = { threads: 'anchor', deadlineMs: 20_000 };
export const slow: CallOptions = { threads: 'slow', deadlineMs: 20_000 };

/** A session AES-256 key that may do everything but leave. */
export const AES_TEMPLATE: Template = {
  CLASS: 'SECRET_KEY',
  KEY_TYPE: 'AES',
  TOKEN: false,
  PRIVATE: true,
  SENSITIVE: true,
  EXTRACTABLE: false,
  ENCRYPT: true,
  DECRYPT: true,
  WRAP: true,
  UNWRAP: true,
  DERIVE: true,
  VALUE_LEN: 32,
};

/** Loads the module of `token`, opens sessions on its slot and logs in. Returns the slot identifier. */
export async function enter(
  door: Cryptoki,
  token: ProvisionedToken,
  threads: Record<ThreadClass, number> = { fast: 2, anchor: 1, slow: 1 },
): Promise<string> {
  await door.load(
    { path: token.module, deepBind: true, initialize: token.reserved === undefined ? {} : { reserved: token.reserved } },
    slow,
  );
  const slot = (await door.slots(slow)).find((candidate) => candidate.label === token.label);
  if (slot === undefined) throw new Error(`no slot with the label ${token.label}`);
  await door.openSessions(slot.slotId, threads, slow);
  await door.login('USER', token.pin, slow);
  return slot.slotId;
}

/** Opens the null module with sessions, or the slow module in front of it when `environment` says so. */
export async function enterTestModule(
  door: Cryptoki,
  path: string,
  threads: Record<ThreadClass, number> = { fast: 1, anchor: 1, slow: 1 },
): Promise<void> {
  await door.load({ path, deepBind: true, initialize: {} }, slow);
  await door.openSessions('1', threads, slow);
}

export async function generateAes(door: Cryptoki, template: Template = AES_TEMPLATE): Promise<ObjectHandle> {
  return (await door.generateKey({ name: 'AES_KEY_GEN' }, template, [], anchor)).handle;
}
