/**
 * A fresh key pair and its sealed private key: what GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext have in common. The
 * pair is made by the key store of the KMS key where that can, else in this process: the API exists to hand out the private key or to
 * let Decrypt hand it out.
 */
import { KmsError } from '../errors.ts';
import { assertOffered } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { generateKeyPair } from '../keys/key-pair.ts';
import type { EncodedKeyPair } from '../keys/key-pair.ts';
import { recheckedKey } from './key-change.ts';
import { authenticatedContext, currentMaterial, seal } from './symmetric-encryption.ts';
import type { OperationContext } from './operation.ts';
import type { EncryptionContext, Sealed } from './symmetric-encryption.ts';

export interface DataKeyPairInput {
  readonly EncryptionContext?: EncryptionContext;
  readonly KeyPairSpec: string;
}

/** A pair with its sealed private key. The caller hands `privateKey` (DER PKCS#8) out or wipes it. */
export interface DataKeyPair extends Sealed {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

export function checkDataKeyPairRequest(input: DataKeyPairInput, { keys, scope }: OperationContext<'key'>): void {
  const { record } = keys.key;
  if (record.keySpec !== 'SYMMETRIC_DEFAULT') {
    throw new KmsError('InvalidKeyUsageException', `${keyArn(record)} key spec is ${record.keySpec} which cannot generate data key pairs.`);
  }
  assertOffered(input.KeyPairSpec, scope.partition);
  authenticatedContext(input.EncryptionContext);
}

export async function generateDataKeyPair(input: DataKeyPairInput, context: OperationContext<'key'>): Promise<DataKeyPair> {
  const { publicKey, privateKey } = await freshPair(input.KeyPairSpec, context);
  try {
    const current = recheckedKey('GenerateDataKeyPair', context.keys.key.record, context);
    const sealed = await seal(current, privateKey, input.EncryptionContext, context);
    return { ...sealed, publicKey, privateKey };
  } catch (error) {
    privateKey.fill(0);
    throw error;
  }
}

async function freshPair(keyPairSpec: string, context: OperationContext<'key'>): Promise<EncodedKeyPair> {
  const { keyStore } = currentMaterial(context.keys.key.record, context);
  const pair = await keyStore.createDataKeyPair?.(keyPairSpec, context.signal);
  return pair ?? generateKeyPair(keyPairSpec, context.parts.randomBytes);
}
