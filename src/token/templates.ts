/**
 * The attributes of every kind of object that this service makes in a token, written out in full: tokens differ in their
 * defaults (Luna takes false for a missing usage flag, NSS true). Knows no key store; names and labels are given.
 */
import type { AttributeName, MechanismName, Template } from './mechanism.ts';

/** What names an object: CKA_ID (16 random bytes, never reused: NSS replaces the object that has it) and CKA_LABEL (at most 32 ASCII bytes). */
export interface ObjectNames {
  readonly id: Uint8Array;
  readonly label: string;
}

/** What an AES material is for: deriving epoch keys (suite `derived`), or encrypting itself (suite `direct`). Never both. */
export type AesUse = 'derive' | 'encrypt';

/** Attributes that not every token knows. They are asked for, and left out where the token or its profile refuses them. */
export const OPTIONAL_ATTRIBUTES: readonly AttributeName[] = ['COPYABLE', 'DESTROYABLE', 'WRAP_WITH_TRUSTED', 'ALLOWED_MECHANISMS'];

const NO_USE: Template = { ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false, DERIVE: false };
const CUSTODY: Template = { PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, MODIFIABLE: false, COPYABLE: false };
/**
 * For keys that are derived or unwrapped: SoftHSM answers CKR_ATTRIBUTE_READ_ONLY when MODIFIABLE is false. Nobody but this login reaches
 * a session key, and SENSITIVE and EXTRACTABLE cannot be weakened in any case.
 */
const SESSION_CUSTODY: Template = { PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, COPYABLE: false, TOKEN: false };
const AES_256: Template = { CLASS: 'SECRET_KEY', KEY_TYPE: 'AES', VALUE_LEN: 32 };
const USES: Readonly<Record<AesUse, Template>> = { derive: { DERIVE: true }, encrypt: { ENCRYPT: true, DECRYPT: true } };

function allowing(mechanisms: readonly MechanismName[]): Template {
  return mechanisms.length === 0 ? {} : { ALLOWED_MECHANISMS: mechanisms };
}

/** An AES-256 material that lives in the token for good. `mechanisms` are the only ones that it may be used with; none means any. */
export function tokenMaterial(use: AesUse, names: ObjectNames, mechanisms: readonly MechanismName[] = []): Template {
  return { ...AES_256, ...CUSTODY, ...NO_USE, ...USES[use], ...allowing(mechanisms), TOKEN: true, ID: names.id, LABEL: names.label };
}

/**
 * An AES-256 material that is generated to be wrapped out once under a trusted key and destroyed: a session object, extractable
 * by a key that the security officer marked as trusted. WRAP_WITH_TRUSTED is essential unless reduced custody was accepted.
 */
export function wrappableMaterial(use: AesUse, names: ObjectNames, mechanisms: readonly MechanismName[] = []): Template {
  return { ...tokenMaterial(use, names, mechanisms), TOKEN: false, EXTRACTABLE: true, WRAP_WITH_TRUSTED: true };
}

/** A material that comes back from its exported form: a session object, no longer extractable. Its length comes with the wrapped key. */
export function unwrappedMaterial(use: AesUse, names: ObjectNames, mechanisms: readonly MechanismName[] = []): Template {
  const identity: Template = { CLASS: 'SECRET_KEY', KEY_TYPE: 'AES', ID: names.id, LABEL: names.label };
  return { ...identity, ...SESSION_CUSTODY, ...NO_USE, ...USES[use], ...allowing(mechanisms) };
}

/** An epoch key: AES-256-GCM only, a session object. */
export function epochKey(label: string, mechanisms: readonly MechanismName[] = ['AES_GCM']): Template {
  return { ...AES_256, ...SESSION_CUSTODY, ...NO_USE, ENCRYPT: true, DECRYPT: true, ...allowing(mechanisms), LABEL: label };
}

/** The key of a fingerprint: derived, encrypts with AES-CBC only, a session object. */
export function fingerprintKey(label: string): Template {
  return { ...AES_256, ...SESSION_CUSTODY, ...NO_USE, ENCRYPT: true, ALLOWED_MECHANISMS: ['AES_CBC'], LABEL: label };
}

/** What comes out of CKA_UNWRAP_TEMPLATE of the wrapping key: whatever is unwrapped stays inside. */
export const STAYS_INSIDE: Template = { SENSITIVE: true, EXTRACTABLE: false };

/**
 * The key under which materials leave and return. PRIVATE false, because the security officer, who alone may set TRUSTED, cannot
 * make private objects (PKCS#11 v2.40, section 5.6 C_Login). It can only wrap and unwrap.
 */
export function wrappingKey(names: ObjectNames, trusted: boolean): Template {
  return {
    ...AES_256,
    ...CUSTODY,
    ...NO_USE,
    WRAP: true,
    UNWRAP: true,
    TOKEN: true,
    PRIVATE: !trusted,
    ...(trusted ? { TRUSTED: true } : {}),
    UNWRAP_TEMPLATE: STAYS_INSIDE,
    ID: names.id,
    LABEL: names.label,
  };
}

/** The HMAC-SHA-256 key that binds exported materials to their KMS keys: it only signs. */
export function recordMacKey(names: ObjectNames): Template {
  return {
    CLASS: 'SECRET_KEY',
    KEY_TYPE: 'GENERIC_SECRET',
    VALUE_LEN: 32,
    ...CUSTODY,
    ...NO_USE,
    SIGN: true,
    ALLOWED_MECHANISMS: ['SHA256_HMAC'],
    TOKEN: true,
    ID: names.id,
    LABEL: names.label,
  };
}

/** `template` without the members that are named. */
export function without(template: Template, names: ReadonlySet<string>): Template {
  if (names.size === 0) return template;
  return Object.fromEntries(Object.entries(template).filter(([name]) => !names.has(name))) as Template;
}
