/** How a TPM, or the way to it, says no. Messages say what happened and what to do; none holds a secret. */

export type TpmErrorKind =
  /** The device or address cannot be opened, or the connection broke. */
  | 'unreachable'
  /** No answer in time. */
  | 'overdue'
  /** The TPM answered with a response code; `responseCode` has its name. */
  | 'refused'
  /** Another boot chain than at sealing. */
  | 'pcrs-changed'
  /** The sealed file was made by another TPM, or by this one before its owner hierarchy was cleared. */
  | 'other-tpm'
  /** A response, or a sealed file, is not what the specification allows. */
  | 'malformed'
  /** A response's HMAC is wrong: something between the TPM and this process alters messages. */
  | 'tampered';

/** A failed use of a TPM. */
export class TpmError extends Error {
  override readonly name = 'TpmError';
  readonly kind: TpmErrorKind;
  /** For example `TPM_RC_POLICY_FAIL`; undefined unless `kind` is `refused`. */
  readonly responseCode: string | undefined;

  constructor(kind: TpmErrorKind, message: string, options: { responseCode?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.responseCode = options.responseCode;
  }
}
