/** Materials of SYMMETRIC_DEFAULT as token keys: AES-256, whose suite says what they may do. */
import type { MechanismName } from '../../token/mechanism.ts';
import type { AesUse } from '../../token/templates.ts';
import { aesForm } from '../../token/templates.ts';
import { symmetricSpec } from '../material-binding.ts';
import { fingerprintOf } from './derivation.ts';
import type { TokenSuite } from './derivation.ts';
import type { MaterialKind } from './material-kind.ts';

interface SuiteMaterial {
  readonly use: AesUse;
  readonly mechanisms: readonly MechanismName[];
}

const suiteMaterials: Readonly<Record<TokenSuite, SuiteMaterial>> = {
  'derived-aes-cbc-data': { use: 'derive', mechanisms: ['AES_CBC_ENCRYPT_DATA'] },
  'derived-sp800-108': { use: 'derive', mechanisms: ['SP800_108_COUNTER_KDF'] },
  // AES-CBC makes the fingerprint.
  direct: { use: 'encrypt', mechanisms: ['AES_GCM', 'AES_CBC'] },
};

export function symmetricKind(suite: TokenSuite): MaterialKind {
  const { use, mechanisms } = suiteMaterials[suite];
  return {
    binding: { ...symmetricSpec, suite },
    form: aesForm(use),
    mechanisms,
    generate: (token, template, readBack) => token.generateKey({ name: 'AES_KEY_GEN' }, template, readBack),
    fingerprint: (token, { object }) => fingerprintOf(token, object, suite),
  };
}
