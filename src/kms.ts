/** The service as a function: `openKms(parts)` gives `perform(operation, input, caller)`. No HTTP, no process, no file. */
import type { Caller, OperationOutput, ServiceParts } from './operations/operation.ts';

export interface Kms {
  /**
   * Performs one operation of the API through the pipeline. `input` is what the wire decoded: JSON values by member name
   * (blobs still base64 text, timestamps numbers); the pipeline validates and converts. Rejects with KmsError only.
   */
  perform(operation: string, input: unknown, caller: Caller, signal?: AbortSignal): Promise<OperationOutput>;
  /** True when the operation exists. */
  has(operation: string): boolean;
}

export type { Caller, ServiceParts };
