/** How an attestation document is refused. The texts name the check that failed; they hold nothing of the document. */
import { KmsError } from '../errors.ts';

/** ValidationException; `reason` continues "The attestation document was refused: ". */
export function refused(reason: string, cause?: unknown): KmsError {
  return new KmsError('ValidationException', `The attestation document was refused: ${reason}.`, cause === undefined ? {} : { cause });
}

/** The result of `parse`; whatever a parser throws becomes a refusal with `reason`. */
export function parsed<T>(reason: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw refused(reason, error);
  }
}
