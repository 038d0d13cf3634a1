/** The form of one operation's entry in the API tables: members in and out, and the errors that its model lists. */
import type { KmsErrorCode } from '../errors.ts';
import type { Members } from './shape.ts';

export interface OperationApi {
  readonly input: Members;
  /** Undefined where the model has no output: the reply has an empty body. */
  readonly output: Members | undefined;
  /** Errors of the model. Framework errors (ValidationException, ThrottlingException...) apply to all operations. */
  readonly errors: readonly KmsErrorCode[];
}

export type OperationApiTable = Readonly<Record<string, OperationApi>>;

type BareName<Code> = Code extends `${infer Name}Exception` ? Name : never;

/** Error codes without their suffix, so that the tables stay readable; every operation can also answer KMSInternalException. */
export function errors(...names: readonly BareName<KmsErrorCode>[]): readonly KmsErrorCode[] {
  return [...names, 'KMSInternal' as const].map((name) => `${name}Exception` as const satisfies KmsErrorCode);
}
