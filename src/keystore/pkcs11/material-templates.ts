/** PKCS#11 templates of symmetric materials and of what is derived from them. Every usage flag is said, on or off. */
import type { CiphertextSuite } from '../../keys/key-record.ts';
import type { KeyType, Mechanism, MechanismName, Template } from '../../token/mechanism.ts';

const noUsage: Template = { ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false, DERIVE: false };
const secretKey: Template = { CLASS: 'SECRET_KEY', PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false };

interface SuiteTemplate {
  readonly keyType: KeyType;
  readonly generation: Mechanism;
  readonly usage: Template;
  readonly mechanisms: readonly MechanismName[];
}

const deriveOnly: Template = { ...noUsage, DERIVE: true };
const suiteTemplates: Readonly<Record<Exclude<CiphertextSuite, 'composed'>, SuiteTemplate>> = {
  'derived-aes-cbc-data': { keyType: 'AES', generation: { name: 'AES_KEY_GEN' }, usage: deriveOnly, mechanisms: ['AES_CBC_ENCRYPT_DATA'] },
  'derived-sp800-108': {
    keyType: 'GENERIC_SECRET',
    generation: { name: 'GENERIC_SECRET_KEY_GEN' },
    usage: deriveOnly,
    mechanisms: ['SP800_108_COUNTER_KDF'],
  },
  direct: {
    keyType: 'AES',
    generation: { name: 'AES_KEY_GEN' },
    usage: { ...noUsage, ENCRYPT: true, DECRYPT: true },
    // AES-CBC makes the fingerprint.
    mechanisms: ['AES_GCM', 'AES_CBC'],
  },
};

/** A suite that this key store can make and use. */
export type TokenSuite = keyof typeof suiteTemplates;

export function isTokenSuite(suite: CiphertextSuite): suite is TokenSuite {
  return suite in suiteTemplates;
}

/** Mechanism that generates a material of the suite. */
export function generationMechanism(suite: TokenSuite): Mechanism {
  return suiteTemplates[suite].generation;
}

/** A material that stays in the token. `objectId` becomes CKA_ID. */
export function residentTemplate(suite: TokenSuite, objectId: Uint8Array, label: string): Template {
  return { ...materialTemplate(suite), VALUE_LEN: 32, TOKEN: true, MODIFIABLE: false, ID: objectId, LABEL: label };
}

/** A material for the moment between its generation and its wrapping. */
export function exportableTemplate(suite: TokenSuite, wrapWithTrusted: boolean): Template {
  return {
    ...materialTemplate(suite),
    VALUE_LEN: 32,
    TOKEN: false,
    EXTRACTABLE: true,
    ...(wrapWithTrusted ? { WRAP_WITH_TRUSTED: true } : {}),
  };
}

/** A material as a session object, unwrapped for use. */
export function unwrappedTemplate(suite: TokenSuite): Template {
  return { ...materialTemplate(suite), TOKEN: false };
}

function materialTemplate(suite: TokenSuite): Template {
  const { keyType, usage, mechanisms } = suiteTemplates[suite];
  return { ...secretKey, KEY_TYPE: keyType, ...usage, ALLOWED_MECHANISMS: mechanisms };
}

const derivedKey: Template = { ...secretKey, KEY_TYPE: 'AES', VALUE_LEN: 32, TOKEN: false, ...noUsage };

/** The AES-256 key of an epoch. */
export const epochKeyTemplate: Template = { ...derivedKey, ENCRYPT: true, DECRYPT: true, ALLOWED_MECHANISMS: ['AES_GCM'] };

/** The AES-256 key that makes the fingerprint of a material. */
export const fingerprintKeyTemplate: Template = { ...derivedKey, ENCRYPT: true, ALLOWED_MECHANISMS: ['AES_CBC'] };
