/** One connection to a TPM: commands in their frame, with authorisation, bounded retries and one deadline for all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Authorization } from './authorization.ts';
import { TpmReader, TpmWriter } from './marshalling.ts';
import { isPassing, refusal, success } from './response-code.ts';
import { structureTags, type TpmEntity } from './structures.ts';
import { TpmError } from './tpm-error.ts';
import { addressText, headerBytes, openTransport, type TpmAddress, type TpmTransport } from './transport.ts';

const retriesMax = 8;
const firstRetryDelayMs = 20;
const sizeOffset = 2;

/** One command of Part 3: what it is called, what it takes and what it gives. */
export interface TpmCommand<Result> {
  /** Without TPM2_. */
  readonly name: string;
  readonly code: number;
  readonly handles: readonly TpmEntity[];
  readonly givesHandle: boolean;
  readonly write: (writer: TpmWriter) => void;
  /** Reads the response's parameters. Arrays that it keeps must be copies. */
  readonly read: (reader: TpmReader, handle: number) => Result;
}

/**
 * Lends a connection to `use` and closes it. After `deadlineMs` everything under way and everything after it is refused. Rejects with
 * TpmError.
 */
export async function withTpm<Result>(
  address: TpmAddress,
  deadlineMs: number,
  use: (connection: TpmConnection) => Promise<Result>,
): Promise<Result> {
  const transport = openTransport(address);
  const overdue = setTimeout(() => {
    const message = `the TPM at ${addressText(address)} did not finish within ${deadlineMs} ms. If it does not recover, restart the machine or the emulator`;
    transport.close(new TpmError('overdue', message));
  }, deadlineMs);
  try {
    return await use(new TpmConnection(transport));
  } finally {
    clearTimeout(overdue);
    transport.close();
  }
}

/** Runs commands one after the other. */
export class TpmConnection {
  readonly #transport: TpmTransport;
  readonly #sleep: (delayMs: number) => Promise<unknown>;

  constructor(transport: TpmTransport, wait: (delayMs: number) => Promise<unknown> = sleep) {
    this.#transport = transport;
    this.#sleep = wait;
  }

  /** Rejects with TpmError. */
  async run<Result>(command: TpmCommand<Result>, authorization?: Authorization): Promise<Result> {
    const writer = new TpmWriter();
    const parameters = new TpmWriter();
    try {
      command.write(parameters);
      frameCommand(writer, command, parameters.written(), authorization);
      return readResponse(command, await this.#send(command.name, writer.written()), authorization);
    } finally {
      parameters.wipe();
      writer.wipe();
    }
  }

  /** Sends again what the TPM asks to have again; nothing happened in it then, so the nonces are still right. */
  async #send(name: string, message: Uint8Array): Promise<Uint8Array> {
    for (let attempt = 0; ; attempt += 1) {
      const response = await this.#transport.exchange(message);
      const code = new DataView(response.buffer, response.byteOffset).getUint32(headerBytes - 4);
      if (code === success) return response;
      if (!isPassing(code) || attempt === retriesMax) throw refusal(name, code);
      await this.#sleep(firstRetryDelayMs * 2 ** attempt);
    }
  }
}

/** Part 1, section 18.2 to 18.4: header, handles, authorisation area with its size, parameters. */
function frameCommand<Result>(
  writer: TpmWriter,
  { code, handles }: TpmCommand<Result>,
  parameters: Uint8Array,
  authorization: Authorization | undefined,
): void {
  writer
    .u16(authorization === undefined ? structureTags.noSessions : structureTags.sessions)
    .u32(0)
    .u32(code);
  for (const { handle } of handles) writer.u32(handle);
  if (authorization !== undefined) {
    const area = new TpmWriter();
    authorization.authorize({ code, names: handles.map(({ name }) => name), parameters }, area);
    writer.u32(area.written().length).bytes(area.written());
  }
  const message = writer.bytes(parameters).written();
  new DataView(message.buffer, message.byteOffset).setUint32(sizeOffset, message.length);
}

function readResponse<Result>(command: TpmCommand<Result>, response: Uint8Array, authorization: Authorization | undefined): Result {
  const what = `the response of the TPM to ${command.name}`;
  const reader = new TpmReader(response, what);
  if (reader.u16() !== (authorization === undefined ? structureTags.noSessions : structureTags.sessions))
    throw reader.malformed('its tag is not that of the command');
  reader.bytes(headerBytes - 2);
  const handle = command.givesHandle ? reader.u32() : 0;
  const parameters = authorization === undefined ? reader.rest() : reader.bytes(reader.count(response.length));
  authorization?.accept({ code: command.code, parameters }, reader);
  reader.end();
  const parameterReader = new TpmReader(parameters, what);
  const result = command.read(parameterReader, handle);
  parameterReader.end();
  return result;
}
