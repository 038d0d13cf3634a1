/** The service as a function: `openKms(parts)` gives `perform(operation, input, caller)`. No HTTP, no process, no file. */
import { Pipeline } from './operations/pipeline.ts';
import { operations } from './operations/registry.ts';
import type { Caller, OperationOutput, ServiceParts } from './operations/operation.ts';

export interface Kms {
  /**
   * Performs one operation of the API through the pipeline. `input` is what the wire decoded: JSON values by member name
   * (blobs still base64 text, timestamps numbers); the pipeline validates and converts. Resolves to the members of the reply
   * (blobs as Uint8Array, timestamps as Date), or undefined where the model has no output. Rejects with KmsError only.
   */
  perform(operation: string, input: unknown, caller: Caller, signal?: AbortSignal): Promise<OperationOutput>;
  /** True when the operation exists. */
  has(operation: string): boolean;
}

/** The service over its parts. Starts nothing and owns nothing: who made the parts closes them. */
export function openKms(parts: ServiceParts): Kms {
  return new Pipeline(parts, operations);
}

export type { Caller, ServiceParts };
