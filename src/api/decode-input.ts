/** The shape check of requests: JSON as the wire parsed it becomes the validated input of an operation, or a ValidationException. */
import { compileMembers } from './decoder.ts';
import { apiOperations } from './model.ts';
import { Violations } from './violations.ts';
import { KmsError } from '../errors.ts';

/** Members by API name; blobs as Uint8Array, timestamps as milliseconds, maps without prototype. */
export type DecodedInput = Readonly<Record<string, unknown>>;
export type InputDecoder = (json: unknown) => DecodedInput;

/**
 * The compiled shape check of an operation. Unknown members are ignored, null members count as absent.
 * It throws KmsError: SerializationException (wrong JSON type), ValidationException (all broken constraints in one message).
 * `inputDecoder` itself throws for a name that the API does not have: a mistake of the program, not of a caller.
 */
export function inputDecoder(operation: string): InputDecoder {
  const api = apiOperations.get(operation);
  if (api === undefined) throw new RangeError(`The KMS API has no operation ${operation}`);
  const decode = compileMembers(api.input);
  return (json) => {
    const violations = new Violations();
    const decoded = decode(json, '', violations);
    violations.throwIfAny();
    return decoded as DecodedInput;
  };
}

const decoders = new Map<string, InputDecoder>();

/** Checks and decodes one request. Throws UnknownOperationException when the API has no such operation; else as `inputDecoder`. */
export function decodeInput(operation: string, json: unknown): DecodedInput {
  let decode = decoders.get(operation);
  if (decode === undefined) {
    if (!apiOperations.has(operation)) throw new KmsError('UnknownOperationException');
    decode = inputDecoder(operation);
    decoders.set(operation, decode);
  }
  return decode(json);
}
