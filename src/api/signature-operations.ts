/** The KMS API as data: signatures, message authentication codes, key agreement and encapsulation. One entry per operation (kms-api.md section 1). */
import { encapsulationAlgorithm, keyAgreementAlgorithm, macAlgorithm, messageType, origin, signingAlgorithm } from './enumerations.ts';
import { ciphertext, grantTokens, keyId, plaintext, publicKey } from './member-shapes.ts';
import { errors } from './operation-api.ts';
import { boolean, required } from './shape.ts';
import { recipientInfo } from './structures.ts';
import type { OperationApiTable } from './operation-api.ts';

export const signatureOperations: OperationApiTable = {
  Sign: {
    input: {
      KeyId: required(keyId),
      Message: required(plaintext),
      MessageType: messageType,
      GrantTokens: grantTokens,
      SigningAlgorithm: required(signingAlgorithm),
      DryRun: boolean,
    },
    output: {
      KeyId: keyId,
      Signature: ciphertext,
      SigningAlgorithm: signingAlgorithm,
    },
    errors: errors(
      'Disabled',
      'DryRunOperation',
      'InvalidGrantToken',
      'InvalidKeyUsage',
      'KeyUnavailable',
      'KMSInvalidState',
      'NotFound',
      'DependencyTimeout',
    ),
  },
  Verify: {
    input: {
      KeyId: required(keyId),
      Message: required(plaintext),
      MessageType: messageType,
      Signature: required(ciphertext),
      SigningAlgorithm: required(signingAlgorithm),
      GrantTokens: grantTokens,
      DryRun: boolean,
    },
    output: {
      KeyId: keyId,
      SignatureValid: boolean,
      SigningAlgorithm: signingAlgorithm,
    },
    errors: errors(
      'Disabled',
      'DryRunOperation',
      'InvalidGrantToken',
      'InvalidKeyUsage',
      'KeyUnavailable',
      'KMSInvalidSignature',
      'KMSInvalidState',
      'NotFound',
      'DependencyTimeout',
    ),
  },
  GenerateMac: {
    input: {
      Message: required(plaintext),
      KeyId: required(keyId),
      MacAlgorithm: required(macAlgorithm),
      GrantTokens: grantTokens,
      DryRun: boolean,
    },
    output: {
      Mac: ciphertext,
      MacAlgorithm: macAlgorithm,
      KeyId: keyId,
    },
    errors: errors('Disabled', 'DryRunOperation', 'InvalidGrantToken', 'InvalidKeyUsage', 'KeyUnavailable', 'KMSInvalidState', 'NotFound'),
  },
  VerifyMac: {
    input: {
      Message: required(plaintext),
      KeyId: required(keyId),
      MacAlgorithm: required(macAlgorithm),
      Mac: required(ciphertext),
      GrantTokens: grantTokens,
      DryRun: boolean,
    },
    output: {
      KeyId: keyId,
      MacValid: boolean,
      MacAlgorithm: macAlgorithm,
    },
    errors: errors(
      'Disabled',
      'DryRunOperation',
      'InvalidGrantToken',
      'InvalidKeyUsage',
      'KeyUnavailable',
      'KMSInvalidMac',
      'KMSInvalidState',
      'NotFound',
    ),
  },
  DeriveSharedSecret: {
    input: {
      KeyId: required(keyId),
      KeyAgreementAlgorithm: required(keyAgreementAlgorithm),
      PublicKey: required(publicKey),
      GrantTokens: grantTokens,
      DryRun: boolean,
      Recipient: recipientInfo,
    },
    output: {
      KeyId: keyId,
      SharedSecret: plaintext,
      CiphertextForRecipient: ciphertext,
      KeyAgreementAlgorithm: keyAgreementAlgorithm,
      KeyOrigin: origin,
    },
    errors: errors(
      'Disabled',
      'DryRunOperation',
      'InvalidGrantToken',
      'InvalidKeyUsage',
      'KeyUnavailable',
      'KMSInvalidState',
      'NotFound',
      'DependencyTimeout',
    ),
  },
  Encapsulate: {
    input: {
      KeyId: required(keyId),
      EncapsulationAlgorithm: required(encapsulationAlgorithm),
      GrantTokens: grantTokens,
      DryRun: boolean,
    },
    output: {
      KeyId: keyId,
      SharedSecret: plaintext,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm: encapsulationAlgorithm,
    },
    errors: errors(
      'Disabled',
      'DryRunOperation',
      'InvalidGrantToken',
      'InvalidKeyUsage',
      'KeyUnavailable',
      'KMSInvalidState',
      'NotFound',
      'DependencyTimeout',
    ),
  },
  Decapsulate: {
    input: {
      KeyId: required(keyId),
      SharedSecretCiphertextBlob: required(ciphertext),
      EncapsulationAlgorithm: required(encapsulationAlgorithm),
      GrantTokens: grantTokens,
      DryRun: boolean,
    },
    output: {
      KeyId: keyId,
      SharedSecret: plaintext,
      EncapsulationAlgorithm: encapsulationAlgorithm,
    },
    errors: errors(
      'Disabled',
      'DryRunOperation',
      'InvalidCiphertext',
      'InvalidGrantToken',
      'InvalidKeyUsage',
      'KeyUnavailable',
      'KMSInvalidState',
      'NotFound',
      'DependencyTimeout',
    ),
  },
};
