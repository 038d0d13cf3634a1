/** Wrapping key pairs for imports into the software store: made, sealed, and unsealed to unwrap one material at a time. */
import { generateKeyPair } from '../../keys/key-pair.ts';
import { wrappingKeySpecs } from '../../keys/import-wrapping.ts';
import type { SecretBytes } from '../../secret-bytes.ts';
import type { ComputingThreads } from '../computing/computing-threads.ts';
import type { ImportKey, ImportRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { MaterialBinding } from '../material-binding.ts';
import { sealMaterial, unsealMaterial } from './sealed-material.ts';
import type { ImportedKey } from './wrapped-import.ts';

const sealingNonceBytes = 12;

/** No material has this usage: a sealed wrapping key is none, and no material is a wrapping key. */
const binding: MaterialBinding = {
  key: { partition: '', account: '', region: '', keyId: '' },
  keySpec: '',
  keyUsage: 'IMPORT_WRAPPING',
  suite: 'none',
  custody: 'full',
  materialId: '',
  fingerprint: new Uint8Array(0),
};

export class SoftwareImports {
  readonly #rootKey: SecretBytes;
  readonly #random: (lengthBytes: number) => Uint8Array;
  readonly #threads: ComputingThreads;

  /** `random` gives that many cryptographically strong bytes in a fresh array. */
  constructor(rootKey: SecretBytes, random: (lengthBytes: number) => Uint8Array, threads: ComputingThreads) {
    this.#rootKey = rootKey;
    this.#random = random;
    this.#threads = threads;
  }

  /** Rejects with KeyStoreError `unsupported` for specs that wrap nothing. */
  async createImportKey(wrappingKeySpec: string): Promise<ImportKey> {
    if (!wrappingKeySpecs.includes(wrappingKeySpec)) {
      throw new KeyStoreError('unsupported', `Wrapping keys of spec ${wrappingKeySpec} are not made in software`);
    }
    const { publicKey, privateKey } = await generateKeyPair(wrappingKeySpec, this.#random);
    try {
      const reference = sealMaterial(this.#rootKey, this.#random(sealingNonceBytes), privateKey, binding);
      return { publicKey: Uint8Array.from(publicKey), reference };
    } finally {
      privateKey.fill(0);
    }
  }

  /** The bytes of the wrapped key, which the caller wipes. Rejects as `MaterialImports.importMaterial` does. */
  async unwrap({ keySpec, wrappingAlgorithm, wrapped, importKey }: ImportRequest): Promise<ImportedKey> {
    const privateKey = unsealMaterial(this.#rootKey, importKey, binding);
    try {
      return await this.#threads.compute('unwrapImport', { keySpec, wrappingAlgorithm, wrapped }, privateKey);
    } finally {
      privateKey.fill(0);
    }
  }
}
