/**
 * The attributes of every kind of object that this service makes in a token, written out in full: tokens differ in their
 * defaults (Luna takes false for a missing usage flag, NSS true). Knows no key store; names and labels are given.
 */
import type { PrivateKeyUse } from './key-pairs.ts';
import type { AttributeName, KeyType, MechanismName, Template } from './mechanism.ts';

/** What names an object: CKA_ID (16 random bytes, never reused: NSS replaces the object that has it) and CKA_LABEL (at most 32 ASCII bytes). */
export interface ObjectNames {
  readonly id: Uint8Array;
  readonly label: string;
}

/** What an AES material is for: deriving epoch keys (suite `derived`), or encrypting itself (suite `direct`). Never both. */
export type AesUse = 'derive' | 'encrypt';

/** Attributes that not every token knows. They are asked for, and left out where the token or its profile refuses them. */
export const OPTIONAL_ATTRIBUTES: readonly AttributeName[] = [
  'COPYABLE',
  'DESTROYABLE',
  'WRAP_WITH_TRUSTED',
  'ALLOWED_MECHANISMS',
  'SIGN_RECOVER',
];

/** What a material is as a key: written out in full for the moment of its generation, without the size where it brings its own. */
export interface KeyForm {
  readonly identity: Template;
  /** Given when the key is generated, and only then. */
  readonly size: Template;
  /** Every usage flag that keys of the class have. */
  readonly uses: Template;
}

const NO_USE: Template = { ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false, DERIVE: false };
const CUSTODY: Template = { PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, MODIFIABLE: false, COPYABLE: false };
/**
 * For keys that are derived or unwrapped: SoftHSM answers CKR_ATTRIBUTE_READ_ONLY when MODIFIABLE is false. Nobody but this login reaches
 * a session key, and SENSITIVE and EXTRACTABLE cannot be weakened in any case.
 */
const SESSION_CUSTODY: Template = { PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, COPYABLE: false, TOKEN: false };
/** The security officer makes no private objects (PKCS#11 v2.40, section 5.6 C_Login). */
const BY_SECURITY_OFFICER: Template = { TOKEN: true, PRIVATE: false, SENSITIVE: true, EXTRACTABLE: false, COPYABLE: false, ...NO_USE };
const AES_256: Template = { CLASS: 'SECRET_KEY', KEY_TYPE: 'AES', VALUE_LEN: 32 };
const USES: Readonly<Record<AesUse, Template>> = { derive: { DERIVE: true }, encrypt: { ENCRYPT: true, DECRYPT: true } };
/** C_SignRecover would sign with a key that is there to decrypt. */
const NO_PRIVATE_USE: Template = { DECRYPT: false, SIGN: false, SIGN_RECOVER: false, UNWRAP: false, DERIVE: false };

/** An AES-256 key. */
export function aesForm(use: AesUse): KeyForm {
  return { identity: { CLASS: 'SECRET_KEY', KEY_TYPE: 'AES' }, size: { VALUE_LEN: 32 }, uses: { ...NO_USE, ...USES[use] } };
}

/** A key that computes HMACs. Its parent type is all that tokens have in common: the digest is in its mechanism. */
export function macForm(keyBytes: number): KeyForm {
  const identity: Template = { CLASS: 'SECRET_KEY', KEY_TYPE: 'GENERIC_SECRET' };
  return { identity, size: { VALUE_LEN: keyBytes }, uses: { ...NO_USE, SIGN: true } };
}

/** The private half of a pair; its size is the public half's. */
export function privateForm(keyType: KeyType, use: PrivateKeyUse): KeyForm {
  return { identity: { CLASS: 'PRIVATE_KEY', KEY_TYPE: keyType }, size: {}, uses: { ...NO_PRIVATE_USE, [use]: true } };
}

/** A material of any form that lives in the token for good. `mechanisms` are the only ones that it may be used with; none means any. */
export function residentKey(form: KeyForm, names: ObjectNames, mechanisms: readonly MechanismName[]): Template {
  const { identity, size, uses } = form;
  return { ...identity, ...size, ...CUSTODY, ...uses, ...allowing(mechanisms), TOKEN: true, ID: names.id, LABEL: names.label };
}

/**
 * A material of any form that is generated to be wrapped out once under a trusted key and destroyed: a session object, extractable
 * by a key that the security officer marked as trusted. WRAP_WITH_TRUSTED is essential unless reduced custody was accepted.
 */
export function wrappableKey(form: KeyForm, names: ObjectNames, mechanisms: readonly MechanismName[]): Template {
  return { ...residentKey(form, names, mechanisms), TOKEN: false, EXTRACTABLE: true, WRAP_WITH_TRUSTED: true };
}

/** A material of any form that comes back from its exported form: a session object, no longer extractable. */
export function unwrappedKey(form: KeyForm, names: ObjectNames, mechanisms: readonly MechanismName[]): Template {
  return { ...form.identity, ...SESSION_CUSTODY, ...form.uses, ...allowing(mechanisms), ID: names.id, LABEL: names.label };
}

/** A material of any form that is unwrapped to live in the token for good. Its size comes with the wrapped key. */
export function importedKey(form: KeyForm, names: ObjectNames, mechanisms: readonly MechanismName[]): Template {
  return { ...form.identity, ...CUSTODY, ...form.uses, ...allowing(mechanisms), TOKEN: true, ID: names.id, LABEL: names.label };
}

/** What the private key of an import pair may do besides unwrapping, and what it forces on keys that it unwraps. */
export interface ImportKeyUse {
  /** Material may pass through software: the key also decrypts. */
  readonly decrypts: boolean;
  /** Undefined where the token does not enforce CKA_UNWRAP_TEMPLATE. */
  readonly unwrapTemplate: Template | undefined;
}

/** The private half of an RSA pair that customers wrap material for. */
export function importPrivateKey(names: ObjectNames, { decrypts, unwrapTemplate }: ImportKeyUse): Template {
  const mechanisms: readonly MechanismName[] = decrypts ? ['RSA_PKCS_OAEP', 'RSA_X_509'] : ['RSA_PKCS_OAEP'];
  return {
    CLASS: 'PRIVATE_KEY',
    KEY_TYPE: 'RSA',
    ...CUSTODY,
    ...NO_PRIVATE_USE,
    UNWRAP: true,
    DECRYPT: decrypts,
    ...allowing(mechanisms),
    ...(unwrapTemplate && { UNWRAP_TEMPLATE: unwrapTemplate }),
    TOKEN: true,
    ID: names.id,
    LABEL: names.label,
  };
}

/** The AES key between the two steps of RSA_AES_KEY_WRAP: a session object that unwraps one key. */
export function stepKey(label: string): Template {
  return { CLASS: 'SECRET_KEY', KEY_TYPE: 'AES', ...SESSION_CUSTODY, ...NO_USE, UNWRAP: true, LABEL: label };
}

/** A private key that the API hands out: a session object that leaves once, and is destroyed. */
export function handedOutKey({ identity, uses }: KeyForm): Template {
  return { ...identity, ...uses, TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: true };
}

/** The AES-256 key that a private key leaves under to be handed out. It is read, so it wraps nothing else: a session object for moments. */
export const knownWrappingKey: Template = {
  ...AES_256,
  ...NO_USE,
  WRAP: true,
  TOKEN: false,
  PRIVATE: true,
  SENSITIVE: false,
  EXTRACTABLE: true,
};

/** An agreed secret, which the API returns in clear: a session object that can be read, for the moment until it was. */
export function agreedSecret(lengthBytes: number): Template {
  const readable: Template = { TOKEN: false, PRIVATE: true, SENSITIVE: false, EXTRACTABLE: true };
  return { CLASS: 'SECRET_KEY', KEY_TYPE: 'GENERIC_SECRET', VALUE_LEN: lengthBytes, ...readable, ...NO_USE };
}

function allowing(mechanisms: readonly MechanismName[]): Template {
  return mechanisms.length === 0 ? {} : { ALLOWED_MECHANISMS: mechanisms };
}

/** An AES-256 material that lives in the token for good. */
export function tokenMaterial(use: AesUse, names: ObjectNames, mechanisms: readonly MechanismName[] = []): Template {
  return residentKey(aesForm(use), names, mechanisms);
}

/** An AES-256 material that is generated to be wrapped out. */
export function wrappableMaterial(use: AesUse, names: ObjectNames, mechanisms: readonly MechanismName[] = []): Template {
  return wrappableKey(aesForm(use), names, mechanisms);
}

/** An AES-256 material that comes back. Its length comes with the wrapped key. */
export function unwrappedMaterial(use: AesUse, names: ObjectNames, mechanisms: readonly MechanismName[] = []): Template {
  return unwrappedKey(aesForm(use), names, mechanisms);
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

/** Likewise of an import key whose materials are kept wrapped: they leave under a TRUSTED key only. */
export const LEAVES_UNDER_TRUSTED: Template = { SENSITIVE: true, WRAP_WITH_TRUSTED: true };

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

/** What comes out of CKA_UNWRAP_TEMPLATE of the transport key: whatever arrives leaves again under trusted keys only. */
export const LEAVES_TRUSTED: Template = { SENSITIVE: true, WRAP_WITH_TRUSTED: true };

/**
 * The key under which materials of multi-Region keys pass from token to token, PRIVATE false as the wrapping key is. Last comes MODIFIABLE:
 * SoftHSM sets attributes in their order, and none after it.
 */
export function transportKey(names: ObjectNames): Template {
  return {
    ...AES_256,
    ...BY_SECURITY_OFFICER,
    WRAP: true,
    UNWRAP: true,
    TRUSTED: true,
    UNWRAP_TEMPLATE: LEAVES_TRUSTED,
    // Modes without integrity would let what is wrapped be taken apart.
    ALLOWED_MECHANISMS: ['AES_KEY_WRAP_PAD', 'AES_KEY_WRAP_KWP'],
    ID: names.id,
    LABEL: names.label,
    MODIFIABLE: false,
  };
}

/** The HMAC-SHA-256 key that says for which KMS key a material on its way is. */
export function transportMacKey(names: ObjectNames): Template {
  return {
    CLASS: 'SECRET_KEY',
    KEY_TYPE: 'GENERIC_SECRET',
    VALUE_LEN: 32,
    ...BY_SECURITY_OFFICER,
    SIGN: true,
    ID: names.id,
    LABEL: names.label,
    MODIFIABLE: false,
  };
}

/** The same key for the moment before it is carried away: a session object of the security officer, which nothing else can reach. */
export function leavingOnce(template: Template): Template {
  return { ...without(template, new Set(['TRUSTED', 'UNWRAP_TEMPLATE'])), TOKEN: false, EXTRACTABLE: true };
}

/** RSA-3072 session pair of the security officer, for what is carried to his token. */
export const ceremonyPublic: Template = {
  CLASS: 'PUBLIC_KEY',
  KEY_TYPE: 'RSA',
  TOKEN: false,
  PRIVATE: false,
  ENCRYPT: false,
  VERIFY: false,
  WRAP: true,
  MODULUS_BITS: 3072,
  PUBLIC_EXPONENT: Uint8Array.of(1, 0, 1),
};
export const ceremonyPrivate: Template = {
  CLASS: 'PRIVATE_KEY',
  KEY_TYPE: 'RSA',
  TOKEN: false,
  PRIVATE: false,
  SENSITIVE: true,
  EXTRACTABLE: false,
  ...NO_PRIVATE_USE,
  UNWRAP: true,
};

/** The material of a multi-Region key: it lives in the token for good, and leaves under trusted keys only. */
export function travellingKey(form: KeyForm, names: ObjectNames, mechanisms: readonly MechanismName[]): Template {
  return { ...residentKey(form, names, mechanisms), EXTRACTABLE: true, WRAP_WITH_TRUSTED: true };
}

/** The same key as it arrives from another token. MODIFIABLE comes last, as in `transportKey`. */
export function arrivingKey(form: KeyForm, names: ObjectNames, mechanisms: readonly MechanismName[]): Template {
  const template = without(travellingKey(form, names, mechanisms), new Set(['VALUE_LEN', 'MODIFIABLE']));
  return { ...template, MODIFIABLE: false };
}

/** `template` without the members that are named. */
export function without(template: Template, names: ReadonlySet<string>): Template {
  if (names.size === 0) return template;
  return Object.fromEntries(Object.entries(template).filter(([name]) => !names.has(name))) as Template;
}
