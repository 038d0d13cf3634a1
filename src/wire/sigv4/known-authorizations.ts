/**
 * Authorization headers that were verified before. A client writes all but the signature the same for a day, so that most headers
 * need not be taken apart again. Decides nothing: what is known again is verified again.
 */
import { type Authorization, parseAuthorization } from './authorization-header.ts';

const SIGNATURE_DIGITS = 64;
const KNOWN_MAX = 1024;
const TEXT_LENGTH_MAX = 1024;

export class KnownAuthorizations {
  /** By the text of the header before its signature. */
  readonly #byText = new Map<string, Authorization>();
  /** The text that was read last, while it is not known. */
  #newText: string | undefined;

  /** As `parseAuthorization`. */
  read(value: string | undefined, hasDate: boolean): Authorization {
    const text = hasDate ? value?.slice(0, -SIGNATURE_DIGITS) : undefined;
    const known = text === undefined ? undefined : this.#byText.get(text);
    this.#newText = known === undefined ? text : undefined;
    if (known === undefined || value === undefined) return parseAuthorization(value, hasDate);
    const { accessKeyId, day, region, service, terminator, signedHeaders } = known;
    return { accessKeyId, day, region, service, terminator, signedHeaders, signature: value.slice(-SIGNATURE_DIGITS) };
  }

  /** Keeps the authorization that was read last. Only verified ones belong here: others could fill it. */
  remember(authorization: Authorization): void {
    const text = this.#newText;
    if (text === undefined || text.length > TEXT_LENGTH_MAX || !text.endsWith('Signature=')) return;
    if (this.#byText.size >= KNOWN_MAX) this.#byText.clear();
    this.#byText.set(text, authorization);
  }
}
