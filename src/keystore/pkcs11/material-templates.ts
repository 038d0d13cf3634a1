/** What each suite asks of its material in the token: key type, usage, allowed mechanisms, names. */
import { randomBytes } from 'node:crypto';
import type { CiphertextSuite } from '../../keys/key-record.ts';
import type { KeyType, Mechanism, MechanismName, Template } from '../../token/mechanism.ts';
import type { AesUse, ObjectNames } from '../../token/templates.ts';
import { epochKey, fingerprintKey, tokenMaterial, unwrappedMaterial, wrappableMaterial } from '../../token/templates.ts';

interface SuiteMaterial {
  readonly keyType: KeyType;
  readonly generation: Mechanism;
  readonly use: AesUse;
  readonly mechanisms: readonly MechanismName[];
}

const suiteMaterials: Readonly<Record<Exclude<CiphertextSuite, 'composed'>, SuiteMaterial>> = {
  'derived-aes-cbc-data': { keyType: 'AES', generation: { name: 'AES_KEY_GEN' }, use: 'derive', mechanisms: ['AES_CBC_ENCRYPT_DATA'] },
  'derived-sp800-108': {
    keyType: 'GENERIC_SECRET',
    generation: { name: 'GENERIC_SECRET_KEY_GEN' },
    use: 'derive',
    mechanisms: ['SP800_108_COUNTER_KDF'],
  },
  // AES-CBC makes the fingerprint.
  direct: { keyType: 'AES', generation: { name: 'AES_KEY_GEN' }, use: 'encrypt', mechanisms: ['AES_GCM', 'AES_CBC'] },
};

/** A suite that this key store can make and use. */
export type TokenSuite = keyof typeof suiteMaterials;

export function isTokenSuite(suite: CiphertextSuite): suite is TokenSuite {
  return suite in suiteMaterials;
}

/** Mechanism that generates a material of the suite. */
export function generationMechanism(suite: TokenSuite): Mechanism {
  return suiteMaterials[suite].generation;
}

/** A material that stays in the token. */
export function residentTemplate(suite: TokenSuite, names: ObjectNames): Template {
  const { keyType, use, mechanisms } = suiteMaterials[suite];
  return { ...tokenMaterial(use, names, mechanisms), KEY_TYPE: keyType };
}

/** A material for the moment between its generation and its wrapping. `trustedOnly`: only a TRUSTED key may wrap it. */
export function exportableTemplate(suite: TokenSuite, trustedOnly: boolean): Template {
  const { keyType, use, mechanisms } = suiteMaterials[suite];
  const { WRAP_WITH_TRUSTED: _trusted, ...template } = wrappableMaterial(use, sessionNames(), mechanisms);
  return { ...template, KEY_TYPE: keyType, ...(trustedOnly ? { WRAP_WITH_TRUSTED: true } : {}) };
}

/** A material as a session object, unwrapped for use. */
export function unwrappedTemplate(suite: TokenSuite): Template {
  const { keyType, use, mechanisms } = suiteMaterials[suite];
  return { ...unwrappedMaterial(use, sessionNames(), mechanisms), KEY_TYPE: keyType };
}

/** The AES-256 key of an epoch. */
export const epochKeyTemplate: Template = epochKey('hsm-kms epoch');

/** The AES-256 key that makes the fingerprint of a material. */
export const fingerprintKeyTemplate: Template = fingerprintKey('hsm-kms fingerprint');

function sessionNames(): ObjectNames {
  return { id: randomBytes(16), label: 'hsm-kms session' };
}
