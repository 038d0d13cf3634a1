/**
 * How a command proves that it may use a handle: the empty password, or a session. Source: TPM 2.0 Library, Part 1, sections 18
 * and 19; Part 2, section 10.13.
 */
import type { TpmReader, TpmWriter } from './marshalling.ts';
import { permanentHandles } from './structures.ts';

/** A command's parts that an HMAC covers. */
export interface AuthorizedCommand {
  readonly code: number;
  readonly names: readonly Uint8Array[];
  /** Marshalled parameters. A session that protects the command encrypts the first one in place. */
  readonly parameters: Uint8Array;
}

/** A successful response's parts that an HMAC covers. */
export interface AuthorizedResponse {
  readonly code: number;
  /** A session that protects the response decrypts the first parameter in place. */
  readonly parameters: Uint8Array;
}

export interface Authorization {
  /** Writes the TPMS_AUTH_COMMAND. */
  authorize(command: AuthorizedCommand, writer: TpmWriter): void;
  /** Reads and verifies the TPMS_AUTH_RESPONSE. Throws TpmError `tampered` or `malformed`. */
  accept(response: AuthorizedResponse, reader: TpmReader): void;
}

const continueSession = 0x01;
const nothing = new Uint8Array();

/** The empty password: for entities without one. Nothing about it is secret, and nothing is verified. */
export const emptyPassword: Authorization = {
  authorize(_command, writer) {
    writer.u32(permanentHandles.password).sized(nothing).u8(continueSession).sized(nothing);
  },
  accept(_response, reader) {
    reader.sized(0);
    reader.u8();
    reader.sized(0);
  },
};
