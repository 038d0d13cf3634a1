/**
 * What a material that leaves its store at rest is bound to: the bytes that the record MAC (wrapped) or the seal (software)
 * covers besides the material, so that a writer of the database cannot move one key's material under another key.
 */
import type { CiphertextSuite, Custody, KeyIdentity } from '../keys/key-record.ts';

/** Region is left out: a material is the same in every Region. */
export interface MaterialBinding {
  readonly key: KeyIdentity;
  readonly keySpec: string;
  readonly keyUsage: string;
  /** `none` for materials that do not encrypt symmetrically. */
  readonly suite: CiphertextSuite | 'none';
  readonly custody: Custody;
  /** 64 hex digits. */
  readonly materialId: string;
  readonly fingerprint: Uint8Array;
}

/** Materials that ciphertexts of the service are made with: 256-bit keys. */
export const symmetricSpec: Readonly<Pick<MaterialBinding, 'keySpec' | 'keyUsage'>> = {
  keySpec: 'SYMMETRIC_DEFAULT',
  keyUsage: 'ENCRYPT_DECRYPT',
};

/** `purpose`, then every field, each with its length (u32, big-endian) before it: no two bindings have the same bytes. */
export function encodeBinding(purpose: string, binding: MaterialBinding): Uint8Array {
  const texts = [
    purpose,
    binding.key.partition,
    binding.key.account,
    binding.key.keyId,
    binding.keySpec,
    binding.keyUsage,
    binding.suite,
    binding.custody,
    binding.materialId,
  ];
  return Buffer.concat(
    [...texts.map((text) => Buffer.from(text, 'utf8')), binding.fingerprint].flatMap((field) => [lengthPrefix(field.length), field]),
  );
}

function lengthPrefix(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}
