/**
 * May a key that others made become a material, and of which kind? Judges attributes, knows no token. What would break a cipher or open
 * what is not the key's is refused whatever the operator accepts; what only weakens custody is accepted as custody `reduced`.
 */
import { keySpecs } from '../../keys/algorithms.ts';
import type { KeyUsage } from '../../keys/key-record.ts';
import { isShapeOf } from '../../token/key-pairs.ts';
import type { AttributeName, KeyType, Template } from '../../token/mechanism.ts';
import { KeyStoreError } from '../keystore.ts';
import type { AdoptionRequest } from '../keystore.ts';

/** One way in which keys of a type are served here. */
interface AdoptableUse {
  readonly keyType: KeyType;
  /** All of these must be set. */
  readonly flags: readonly Flag[];
  readonly keyUsage: KeyUsage;
  readonly suite?: 'direct' | 'derived';
  /** Set besides, each lets somebody undo what the service does with the key, or makes the service open what is not its own. */
  readonly never: readonly Flag[];
  /** Set besides, each lets who has the PIN do more than the service does. Some mean nothing for keys of the type: many tokens set them all. */
  readonly weak: readonly Flag[];
}

type Flag = 'ENCRYPT' | 'DECRYPT' | 'SIGN' | 'SIGN_RECOVER' | 'VERIFY' | 'WRAP' | 'UNWRAP' | 'DERIVE';

const symmetric = { keyType: 'AES', keyUsage: 'ENCRYPT_DECRYPT', weak: [] } as const;
const adoptableUses: readonly AdoptableUse[] = [
  // Derivation by AES-CBC, CMAC and key wrap are all AES of chosen blocks: with ENCRYPT they give away what was derived or authenticated.
  { ...symmetric, flags: ['ENCRYPT', 'DECRYPT'], suite: 'direct', never: ['SIGN', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE'] },
  { ...symmetric, flags: ['DERIVE'], suite: 'derived', never: ['ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'WRAP', 'UNWRAP'] },
  // HKDF is HMAC: whoever may ask for MACs would be told keys that are derived.
  {
    keyType: 'GENERIC_SECRET',
    flags: ['SIGN'],
    keyUsage: 'GENERATE_VERIFY_MAC',
    never: ['DERIVE'],
    weak: ['ENCRYPT', 'DECRYPT', 'WRAP', 'UNWRAP'],
  },
  { keyType: 'RSA', flags: ['SIGN'], keyUsage: 'SIGN_VERIFY', never: [], weak: ['DECRYPT', 'UNWRAP', 'DERIVE'] },
  // Decrypt would hand out keys that were wrapped for the token.
  { keyType: 'RSA', flags: ['DECRYPT'], keyUsage: 'ENCRYPT_DECRYPT', never: ['UNWRAP'], weak: ['SIGN', 'SIGN_RECOVER', 'DERIVE'] },
  { keyType: 'EC', flags: ['SIGN'], keyUsage: 'SIGN_VERIFY', never: [], weak: ['DERIVE', 'DECRYPT', 'UNWRAP'] },
  { keyType: 'EC', flags: ['DERIVE'], keyUsage: 'KEY_AGREEMENT', never: [], weak: ['SIGN', 'SIGN_RECOVER', 'DECRYPT', 'UNWRAP'] },
  { keyType: 'EC_EDWARDS', flags: ['SIGN'], keyUsage: 'SIGN_VERIFY', never: [], weak: ['DERIVE', 'DECRYPT', 'UNWRAP'] },
];

const usageFlags: readonly Flag[] = ['ENCRYPT', 'DECRYPT', 'SIGN', 'SIGN_RECOVER', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE'];
const aesKeyBytes = 32;
/** Smaller public exponents are refused on import too. */
const exponentMin = 65_537n;

/** Attributes that `judgeAdoption` reads. */
export const judgedAttributes: readonly AttributeName[] = [
  'CLASS',
  'KEY_TYPE',
  'VALUE_LEN',
  'MODULUS',
  'PUBLIC_EXPONENT',
  'EC_PARAMS',
  'PRIVATE',
  'SENSITIVE',
  'EXTRACTABLE',
  'ALWAYS_SENSITIVE',
  'NEVER_EXTRACTABLE',
  'LOCAL',
  'MODIFIABLE',
  'DESTROYABLE',
  ...usageFlags,
];

/** What a key in the token would be as a material. */
export interface Adoptable {
  readonly keySpec: string;
  readonly keyUsage: KeyUsage;
  /** `derived` is whichever derivation the token has. Only of AES keys. */
  readonly suite: 'direct' | 'derived' | undefined;
  /** What keeps its custody from being full. */
  readonly weaknesses: readonly string[];
}

/** Throws KeyStoreError `refused` with everything that is wrong, or `unsupported` for keys that KMS has no spec for. */
export function judgeAdoption(attributes: Template, request: Pick<AdoptionRequest, 'keySpec' | 'keyUsage' | 'custody'>): Adoptable {
  const keySpec = keySpecOf(attributes);
  if (request.keySpec !== undefined && request.keySpec !== keySpec) throw refused(`It is a key of spec ${keySpec}, not ${request.keySpec}`);
  const exposures = exposuresOf(attributes);
  if (exposures.length > 0) throw refused(`The key cannot be adopted: ${exposures.join('; ')}`);
  const use = useOf(attributes, request.keyUsage);
  const never = use.never.filter((flag) => attributes[flag] === true);
  if (never.length > 0) {
    throw refused(
      `The key can also be used for ${never.join(', ')}: a key has one use, and for ${use.keyUsage} these would undo what it protects. ` +
        'Take the flags away, where the token lets you, or make a new key',
    );
  }
  const weaknesses = weaknessesOf(attributes, use);
  if (weaknesses.length > 0 && request.custody !== 'reduced') {
    throw refused(`The custody of the key would not be full: ${weaknesses.join('; ')}. It can be accepted as custody "reduced"`);
  }
  return { keySpec, keyUsage: use.keyUsage, suite: use.suite, weaknesses };
}

/** The key spec that fits type and size. */
function keySpecOf(attributes: Template): string {
  const { KEY_TYPE: keyType, VALUE_LEN: bytes } = attributes;
  for (const [keySpec, { shape }] of keySpecs) {
    if (shape.type === 'aes' && keyType === 'AES' && bytes === aesKeyBytes) return keySpec;
    if (shape.type === 'hmac' && keyType === 'GENERIC_SECRET' && bytes === shape.keyBytes) return keySpec;
    if ((shape.type === 'rsa' || shape.type === 'ec' || shape.type === 'ed25519') && isShapeOf(shape, attributes)) return keySpec;
  }
  const size = bytes === undefined ? '' : ` of ${bytes} bytes`;
  throw new KeyStoreError('unsupported', `There is no KMS key spec for a key of type ${keyType ?? 'unknown'}${size} and these parameters`);
}

/** Ways in which the secret is or was within reach of others: no operator's word makes that good. */
function exposuresOf({ SENSITIVE, EXTRACTABLE, PRIVATE, DESTROYABLE, PUBLIC_EXPONENT: exponent, KEY_TYPE }: Template): readonly string[] {
  return [
    ...(SENSITIVE === true ? [] : ['it is not SENSITIVE: it can be read']),
    ...(EXTRACTABLE === false ? [] : ['it is EXTRACTABLE: it can be wrapped out']),
    ...(PRIVATE === true ? [] : ['it is not PRIVATE: it can be used without the PIN']),
    ...(DESTROYABLE === false ? ['it is not DESTROYABLE: its KMS key could never be deleted'] : []),
    ...(KEY_TYPE === 'RSA' && exponent !== undefined && numberOf(exponent) < exponentMin ? ['its public exponent is below 65,537'] : []),
  ];
}

function useOf(attributes: Template, keyUsage: KeyUsage | undefined): AdoptableUse {
  const uses = adoptableUses.filter(
    ({ keyType, flags }) => keyType === attributes.KEY_TYPE && flags.every((flag) => attributes[flag] === true),
  );
  const [use] = keyUsage === undefined ? uses : uses.filter((candidate) => candidate.keyUsage === keyUsage);
  const usages = [...new Set(uses.map((candidate) => candidate.keyUsage))];
  if (use === undefined) {
    const flags = usageFlags.filter((flag) => attributes[flag] === true).join(', ') || 'nothing';
    throw refused(`The key permits ${flags}, which is not what ${keyUsage ?? 'any KMS key usage'} needs of it`);
  }
  if (usages.length > 1 && keyUsage === undefined) {
    throw refused(`The key permits several uses: name the one that its KMS key shall have, ${usages.join(' or ')}`);
  }
  return use;
}

function weaknessesOf(attributes: Template, { weak }: AdoptableUse): readonly string[] {
  const flags = weak.filter((flag) => attributes[flag] === true);
  return [
    ...(attributes.MODIFIABLE === false ? [] : ['it is MODIFIABLE: who has the PIN can change what it may do']),
    ...(attributes.ALWAYS_SENSITIVE === true ? [] : ['it was not always SENSITIVE: somebody may have read it']),
    ...(attributes.NEVER_EXTRACTABLE === true ? [] : ['it was EXTRACTABLE once: there may be copies']),
    ...(attributes.LOCAL === true ? [] : ['it was not generated in the token: there may be copies']),
    ...(flags.length === 0 ? [] : [`it also permits ${flags.join(', ')}, to who has the PIN`]),
  ];
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
}

function refused(message: string): KeyStoreError {
  return new KeyStoreError('refused', message);
}
