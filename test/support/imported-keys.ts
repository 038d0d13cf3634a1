/** The API over the software key store as a place for keys whose bytes are known: they are imported, as a customer would. */
import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { KmsError } from '../../src/errors.ts';
import type { HeldKey, KnownKey, KnownKeyPlace } from './known-keys.ts';
import { base64, callerOf } from './kms-fixture.ts';
import { openSoftwareKms } from './software-kms.ts';

/** Initial value of AES-KWP (RFC 5649, section 3), which node:crypto takes as the IV. */
const kwpInitialValue = Buffer.from('a65959a6', 'hex');

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
  const isPair = !keySpec.startsWith('HMAC');
  const WrappingAlgorithm = isPair ? 'RSA_AES_KEY_WRAP_SHA_256' : 'RSAES_OAEP_SHA_256';
  const { ImportToken, PublicKey } = await perform('GetParametersForImport', { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' });
  await perform('ImportKeyMaterial', {
    KeyId,
    ImportToken: base64(ImportToken as Uint8Array),
    EncryptedKeyMaterial: base64(isPair ? wrapPair(PublicKey as Uint8Array, secret) : oaep(PublicKey as Uint8Array, secret)),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  });
  return KeyId;
}

function oaep(publicKey: Uint8Array, secret: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, secret);
}

/** RSA_AES_KEY_WRAP: OAEP of an AES key, and AES-KWP of the PKCS#8 under it. */
function wrapPair(publicKey: Uint8Array, secret: Uint8Array): Buffer {
  const key = randomBytes(32);
  const cipher = createCipheriv('id-aes256-wrap-pad', key, kwpInitialValue);
  return Buffer.concat([oaep(publicKey, key), cipher.update(secret), cipher.final()]);
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
