/** TPM_RC: what a TPM answers instead of a result, by name, and what a person can do about it. Source: TPM 2.0 Library, Part 2, section 6.6. */
import { TpmError } from './tpm-error.ts';

export const success = 0;

/** Format-zero codes and warnings: the whole code. */
const wholeCodes: Readonly<Record<number, string>> = {
  0x100: 'INITIALIZE',
  0x101: 'FAILURE',
  0x103: 'SEQUENCE',
  0x120: 'DISABLED',
  0x121: 'EXCLUSIVE',
  0x124: 'AUTH_TYPE',
  0x125: 'AUTH_MISSING',
  0x126: 'POLICY',
  0x127: 'PCR',
  0x128: 'PCR_CHANGED',
  0x12d: 'UPGRADE',
  0x12f: 'AUTH_UNAVAILABLE',
  0x130: 'REBOOT',
  0x142: 'COMMAND_SIZE',
  0x143: 'COMMAND_CODE',
  0x144: 'AUTHSIZE',
  0x145: 'AUTH_CONTEXT',
  0x900: 'CONTEXT_GAP',
  0x901: 'CONTEXT_GAP',
  0x902: 'OBJECT_MEMORY',
  0x903: 'SESSION_MEMORY',
  0x904: 'MEMORY',
  0x905: 'SESSION_HANDLES',
  0x906: 'OBJECT_HANDLES',
  0x907: 'LOCALITY',
  0x908: 'YIELDED',
  0x909: 'CANCELED',
  0x90a: 'TESTING',
  0x910: 'REFERENCE_H0',
  0x918: 'REFERENCE_S0',
  0x920: 'NV_RATE',
  0x921: 'LOCKOUT',
  0x922: 'RETRY',
  0x923: 'NV_UNAVAILABLE',
};

/** Format-one codes, without the bits that say which handle, session or parameter is meant. */
const formatOneCodes: Readonly<Record<number, string>> = {
  0x81: 'ASYMMETRIC',
  0x82: 'ATTRIBUTES',
  0x83: 'HASH',
  0x84: 'VALUE',
  0x85: 'HIERARCHY',
  0x87: 'KEY_SIZE',
  0x89: 'MODE',
  0x8a: 'TYPE',
  0x8b: 'HANDLE',
  0x8c: 'KDF',
  0x8d: 'RANGE',
  0x8e: 'AUTH_FAIL',
  0x8f: 'NONCE',
  0x92: 'SCHEME',
  0x95: 'SIZE',
  0x96: 'SYMMETRIC',
  0x97: 'TAG',
  0x98: 'SELECTOR',
  0x9a: 'INSUFFICIENT',
  0x9c: 'KEY',
  0x9d: 'POLICY_FAIL',
  0x9f: 'INTEGRITY',
  0xa1: 'RESERVED_BITS',
  0xa2: 'BAD_AUTH',
  0xa4: 'POLICY_CC',
  0xa5: 'BINDING',
  0xa6: 'CURVE',
  0xa7: 'ECC_POINT',
};

const isFormatOne = 0x80;
const formatOneMask = 0xbf;
const passedOnBits = 0xfffff000;

const tooManyObjects =
  'The memory of the TPM is full of what other programs left in it. Use the resource manager of the kernel (/dev/tpmrm0), or restart the emulator';

const altered = 'Something between this process and the TPM alters messages. Do not trust this machine';

/** By the name of the code, or of the command and the code. */
const remedies: Readonly<Record<string, string>> = {
  INITIALIZE: 'The TPM was not started: the firmware does that at power-on, an emulator with --flags not-need-init,startup-clear',
  FAILURE: 'The TPM is in failure mode: switch the machine off and on, and replace the TPM when it does not recover',
  UPGRADE: 'The TPM waits for the end of a firmware upgrade',
  REBOOT: 'The TPM wants the machine to be restarted',
  AUTH_FAIL: altered,
  BAD_AUTH: altered,
  'CreatePrimary BAD_AUTH':
    'Its owner hierarchy has a password; the empty one is expected. Clear it with: tpm2_changeauth -c owner -p PASSWORD',
  HIERARCHY: 'Its owner hierarchy is disabled: enable it in the firmware settings',
  LOCKOUT: 'The TPM is locked after wrong passwords: wait, or run tpm2_dictionarylockout --clear-lockout',
  INTEGRITY: 'The sealed file was altered, or made by another TPM: restore it from its backup',
  OBJECT_MEMORY: tooManyObjects,
  OBJECT_HANDLES: tooManyObjects,
  SESSION_MEMORY: tooManyObjects,
  SESSION_HANDLES: tooManyObjects,
  MEMORY: tooManyObjects,
};

/** Codes with which a TPM asks for the same command again, a little later. */
const passing: ReadonlySet<string> = new Set(['YIELDED', 'TESTING', 'RETRY', 'NV_RATE']);

/** The name of a response code, without TPM_RC_; codes without a name are given in hexadecimal. */
export function responseCodeName(code: number): string {
  const unknown = `0x${code.toString(16).padStart(3, '0')}`;
  // Codes from software between this process and the TPM (Part 2, section 6.6.1, and TSS 2.0 layers) have upper bits set.
  if ((code & passedOnBits) !== 0) return unknown;
  if ((code & isFormatOne) === 0) return wholeCodes[code] ?? unknown;
  return formatOneCodes[code & formatOneMask] ?? unknown;
}

/** True when the command may be sent again as it is. */
export function isPassing(code: number): boolean {
  return passing.has(responseCodeName(code));
}

/** The error for a command that the TPM refused. `command` is the name of the command without TPM2_. */
export function refusal(command: string, code: number): TpmError {
  const name = responseCodeName(code);
  const responseCode = `TPM_RC_${name}`;
  const remedy = remedies[`${command} ${name}`] ?? remedies[name];
  const words = `the TPM refused ${command}: ${responseCode} (0x${code.toString(16)})`;
  return new TpmError('refused', remedy === undefined ? words : `${words}. ${remedy}`, { responseCode });
}
