/** The API over the software key store as a place for keys whose bytes are known: they are imported, as a customer would. */
import { KmsError } from '../../src/errors.ts';
import { wrapMaterial } from './customer-material.ts';
import type { HeldKey, KnownKey, KnownKeyPlace } from './known-keys.ts';
import { base64, callerOf } from './kms-fixture.ts';
import { openSoftwareKms } from './software-kms.ts';

/** Errors of a request whose content is wrong. */
const refusals: ReadonlySet<string> = new Set(['InvalidCiphertextException', 'KMSInvalidMacException', 'ValidationException']);

// oxlint-disable-next-line typescript/no-explicit-any
type Perform = (operation: string, input: object) => Promise<any>;

/** `name` says what it is; the service and its folder go with `close`. */
export async function importedPlace(): Promise<KnownKeyPlace> {
  const service = await openSoftwareKms();
  const perform: Perform = (operation, input) => service.kms.perform(operation, input, callerOf());
  return {
    name: 'the API, imported',
    hold: async (known) => heldKey(perform, await importKey(perform, known)),
    close: () => service.remove(),
  };
}

/** The id of a new key with this material. */
async function importKey(perform: Perform, { keySpec, keyUsage, secret }: KnownKey): Promise<string> {
  const { KeyMetadata } = await perform('CreateKey', { Origin: 'EXTERNAL', KeySpec: keySpec, KeyUsage: keyUsage });
  const { KeyId } = KeyMetadata as { readonly KeyId: string };
  const WrappingAlgorithm = keySpec.startsWith('HMAC') ? 'RSAES_OAEP_SHA_256' : 'RSA_AES_KEY_WRAP_SHA_256';
  const { ImportToken, PublicKey } = await perform('GetParametersForImport', { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' });
  await perform('ImportKeyMaterial', {
    KeyId,
    ImportToken: base64(ImportToken as Uint8Array),
    EncryptedKeyMaterial: base64(wrapMaterial(PublicKey as Uint8Array, WrappingAlgorithm, secret)),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  });
  return KeyId;
}

function heldKey(perform: Perform, KeyId: string): HeldKey {
  return {
    isCode: async (MacAlgorithm, message, code) => {
      const request = { KeyId, MacAlgorithm, Message: base64(message) };
      const verified = await refusable(perform('VerifyMac', { ...request, Mac: base64(code) }));
      const { Mac } = await perform('GenerateMac', request);
      const isSame = Buffer.compare(Mac as Uint8Array, code) === 0;
      if (isSame !== (verified?.MacValid === true)) throw new Error('GenerateMac and VerifyMac do not agree');
      return isSame;
    },
    sign: async (SigningAlgorithm, MessageType, message) =>
      (await perform('Sign', { KeyId, SigningAlgorithm, MessageType, Message: base64(message) })).Signature,
    decrypt: async (EncryptionAlgorithm, ciphertext) =>
      (await refusable(perform('Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob: base64(ciphertext) })))?.Plaintext,
    agree: async (peer) =>
      (await refusable(perform('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: base64(peer) })))?.SharedSecret,
  };
}

const refusable = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(undefinedIfRefused);

function undefinedIfRefused(error: unknown): undefined {
  if (error instanceof KmsError && refusals.has(error.code)) return undefined;
  throw error;
}
