/** The key stores that the contract suite runs on. */
import { randomBytes } from 'node:crypto';
import { wrappingAlgorithms } from '../../src/keys/import-wrapping.ts';
import type { CiphertextSuite, Custody, Residency } from '../../src/keys/key-record.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';
import type { Pkcs11KeyStoreConfig } from '../../src/keystore/pkcs11/key-store.ts';
import { openPkcs11KeyStore } from '../../src/keystore/pkcs11/key-store.ts';
import { softwareKeySpecs } from '../../src/keystore/software/software-keys.ts';
import { openSoftwareKeyStore } from '../../src/keystore/software/key-store.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import type { Capabilities } from '../../src/token/token.ts';
import { RECORD_MAC_KEY_LABEL, WRAPPING_KEY_LABEL } from '../../src/token/service-keys.ts';
import { recordMacKey, wrappingKey } from '../../src/token/templates.ts';
import { FakeToken } from './fake-token.ts';
import { testParts } from './key-store-parts.ts';
import { hasNss, provisionNss } from './nss.ts';
import { openRealToken } from './real-tokens.ts';
import { hasSoftHsm, provisionSoftHsm } from './softhsm.ts';
import type { ProvisionedToken } from './softhsm.ts';

/** A place that stays while key stores on it come and go. */
export interface OpenSubject {
  openStore(): Promise<KeyStore>;
  close(): Promise<void>;
}

export interface KeyStoreSubject {
  readonly name: string;
  /** Made of a real module: slower. */
  readonly real: boolean;
  /** Algorithms of served keys that are refused all the same, by key spec and algorithm. */
  readonly refusedAlgorithms: readonly string[];
  /** Algorithms whose padding is not the token's work. */
  readonly composedAlgorithms: readonly string[];
  /** Key specs that it makes besides SYMMETRIC_DEFAULT. */
  readonly keySpecs: readonly string[];
  /** Specs of the data key pairs that it makes. */
  readonly dataKeyPairs: readonly string[];
  /** Wrapping algorithms of imports that it takes in. Absent: it imports nothing. */
  readonly importsWrappedBy?: readonly string[];
  /** Key specs of imports; absent: all that can be imported at all. */
  readonly importsSpecs?: readonly string[];
  /** It sees what is around a key and in the first of two steps, so that it can be strict about it. Absent: it can. */
  readonly seesEncoding?: boolean;
  readonly expects: { readonly residency: Residency; readonly suite: CiphertextSuite; readonly custody: Custody };
  available(): boolean;
  open(): Promise<OpenSubject>;
}

const rsaSpecs = ['RSA_2048', 'RSA_3072', 'RSA_4096'];
const nistCurves = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'];
const otherCurves = ['ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'];
const rsaWrapping = [...wrappingAlgorithms.keys()].filter((name) => name !== 'SM2PKE');
const hmacSpecs = ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'];

const software: KeyStoreSubject = {
  name: 'software',
  real: false,
  refusedAlgorithms: [],
  composedAlgorithms: [],
  keySpecs: softwareKeySpecs.filter((spec) => spec !== 'SYMMETRIC_DEFAULT'),
  dataKeyPairs: [],
  importsWrappedBy: [...wrappingAlgorithms.keys()],
  expects: { residency: 'software', suite: 'derived-aes-cbc-data', custody: 'full' },
  available: () => true,
  open: async () => {
    const rootKey = randomBytes(32);
    const parts = testParts();
    return {
      openStore: async () => openSoftwareKeyStore({ name: 'software' }, { ...parts, rootKey: new SecretBytes(Uint8Array.from(rootKey)) }),
      close: async () => {},
    };
  },
};

/** A fake token as `hsm-kms token init` leaves a real one. */
export function provisionedFakeToken(capabilities: Partial<Capabilities> = {}): FakeToken {
  const token = new FakeToken(capabilities);
  token.install(wrappingKey({ id: randomBytes(16), label: WRAPPING_KEY_LABEL }, true));
  token.install(recordMacKey({ id: randomBytes(16), label: RECORD_MAC_KEY_LABEL }));
  return token;
}

function fake(
  name: string,
  expects: KeyStoreSubject['expects'],
  suite: Pkcs11KeyStoreConfig['suite'],
  capabilities: Partial<Capabilities>,
): KeyStoreSubject {
  const residency = expects.residency === 'wrapped' ? 'wrapped' : 'token';
  return {
    name: `fake token, ${name}`,
    real: false,
    refusedAlgorithms: [],
    composedAlgorithms: [],
    keySpecs: 'kwp' in capabilities ? hmacSpecs.slice(1) : [...nistCurves, ...otherCurves, ...hmacSpecs],
    dataKeyPairs: 'kwp' in capabilities ? [] : [...nistCurves, ...otherCurves],
    expects,
    available: () => true,
    open: async () => {
      const token = provisionedFakeToken(capabilities);
      const parts = testParts();
      return {
        openStore: async () => openPkcs11KeyStore({ name: 'fake', residency, suite, custody: expects.custody }, token, parts),
        close: async () => {
          if (token.violations.length > 0) throw new Error(`The token was misused: ${token.violations.join(', ')}`);
        },
      };
    },
  };
}

const fakes = [
  fake('resident, derived', { residency: 'token', suite: 'derived-aes-cbc-data', custody: 'full' }, 'measured', {}),
  fake('wrapped, derived', { residency: 'wrapped', suite: 'derived-aes-cbc-data', custody: 'full' }, 'measured', {}),
  fake('wrapped, AES-KW only, SP800-108', { residency: 'wrapped', suite: 'derived-sp800-108', custody: 'full' }, 'derived', {
    keyDerivation: 'sp800-108-counter',
    kwp: undefined,
    wrapsPrivate: [],
  }),
  fake('resident, direct', { residency: 'token', suite: 'direct', custody: 'full' }, 'direct', {}),
  fake('wrapped, direct, no derivation', { residency: 'wrapped', suite: 'direct', custody: 'full' }, 'measured', {
    keyDerivation: undefined,
  }),
  fake('resident, derived, IVs of the token', { residency: 'token', suite: 'derived-aes-cbc-data', custody: 'full' }, 'measured', {
    gcmIvSource: 'token-appended',
  }),
];

interface RealModule {
  readonly name: string;
  readonly securityOfficer: boolean;
  readonly custody: Custody;
  readonly derived: CiphertextSuite;
  /** Key specs by residency. */
  readonly keySpecs: Readonly<Record<'token' | 'wrapped', readonly string[]>>;
  readonly refusedAlgorithms: readonly string[];
  readonly composedAlgorithms: readonly string[];
  readonly dataKeyPairs: readonly string[];
  /** Key specs of imports through software and in the token. */
  readonly importsSpecs: readonly string[];
  readonly available: () => boolean;
  readonly provision: () => ProvisionedToken;
}

function real(module: RealModule, residency: 'token' | 'wrapped', suite: 'derived' | 'direct'): KeyStoreSubject {
  const { custody } = module;
  return {
    name: `${module.name}, ${residency === 'token' ? 'resident' : 'wrapped'}, ${suite}`,
    real: true,
    refusedAlgorithms: module.refusedAlgorithms.filter((name) => module.keySpecs[residency].includes(name.split(' ')[0] ?? '')),
    composedAlgorithms: module.composedAlgorithms,
    keySpecs: module.keySpecs[residency],
    dataKeyPairs: module.dataKeyPairs,
    importsWrappedBy: rsaWrapping,
    importsSpecs: module.importsSpecs.filter((spec) => spec === 'SYMMETRIC_DEFAULT' || module.keySpecs[residency].includes(spec)),
    seesEncoding: false,
    expects: { residency, suite: suite === 'direct' ? 'direct' : module.derived, custody },
    available: module.available,
    open: async () => {
      const opened = await openRealToken(module.provision(), module.securityOfficer);
      const parts = testParts();
      return {
        openStore: async () =>
          openPkcs11KeyStore({ name: module.name, residency, suite, custody, import: 'via-software' }, opened.token, parts),
        close: () => opened.close(),
      };
    },
  };
}

const softHsm: RealModule = {
  name: 'SoftHSM',
  securityOfficer: true,
  custody: 'full',
  derived: 'derived-aes-cbc-data',
  // It wraps no Ed25519 keys.
  keySpecs: {
    token: [...rsaSpecs, ...nistCurves, ...otherCurves, ...hmacSpecs],
    wrapped: [...rsaSpecs, ...nistCurves, 'ECC_SECG_P256K1', ...hmacSpecs],
  },
  // It takes no notice of the prehash flag.
  refusedAlgorithms: ['ECC_NIST_EDWARDS25519 ED25519_PH_SHA_512'],
  // It has no OAEP with SHA-256.
  composedAlgorithms: ['RSAES_OAEP_SHA_256'],
  dataKeyPairs: [...rsaSpecs, ...nistCurves, 'ECC_SECG_P256K1'],
  importsSpecs: ['SYMMETRIC_DEFAULT', ...rsaSpecs, ...nistCurves, 'ECC_SECG_P256K1', ...hmacSpecs],
  available: hasSoftHsm,
  provision: provisionSoftHsm,
};
/** NSS softokn lets keys out, so its custody is never more than reduced. */
const nss: RealModule = {
  name: 'NSS softokn',
  securityOfficer: false,
  custody: 'reduced',
  derived: 'derived-sp800-108',
  // It brings back no private keys with the usage that was asked for.
  keySpecs: { token: [...rsaSpecs, ...nistCurves, ...hmacSpecs], wrapped: hmacSpecs },
  refusedAlgorithms: [],
  composedAlgorithms: [],
  dataKeyPairs: [],
  importsSpecs: ['SYMMETRIC_DEFAULT', ...hmacSpecs],
  available: hasNss,
  provision: provisionNss,
};

const reals = [softHsm, nss].flatMap((module) => [
  real(module, 'token', 'derived'),
  real(module, 'token', 'direct'),
  real(module, 'wrapped', 'derived'),
  real(module, 'wrapped', 'direct'),
]);

export const keyStoreSubjects: readonly KeyStoreSubject[] = [software, ...fakes, ...reals];
