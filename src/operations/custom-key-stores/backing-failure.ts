/** Failures of the key store behind a custom one: AWS KMS tells them as an invalid state of the key (kms-api.md 1.4 and 6.3). */
import { KmsError } from '../../errors.ts';
import { keyArn } from '../../keys/arn.ts';
import { KeyStoreError } from '../../keystore/keystore.ts';
import type { KeyStoreErrorKind } from '../../keystore/keystore.ts';
import type { OperationContext } from '../operation.ts';

const backingFailures: ReadonlySet<KeyStoreErrorKind> = new Set(['unavailable', 'timeout', 'material-missing', 'internal'] as const);

/** `error` itself, unless a key store failed and a key of the request is in a custom key store. What happened goes to the log. */
export function withBackingFailure(error: unknown, { keys, parts, caller }: OperationContext): unknown {
  if (!(error instanceof KeyStoreError) || !backingFailures.has(error.kind)) return error;
  const record = Object.values(keys)
    .map((key) => key.record)
    .find(({ customKeyStoreId }) => customKeyStoreId !== undefined);
  if (record === undefined) return error;
  const { customKeyStoreId } = record;
  parts.log.error({ customKeyStoreId, requestId: caller.requestId, err: error }, 'the key store behind a custom key store failed');
  return new KmsError(
    'KMSInvalidStateException',
    `${keyArn(record)} is in custom key store ${customKeyStoreId}, which cannot be used now. Try again; if it happens again, look at its cluster.`,
    { cause: error },
  );
}
