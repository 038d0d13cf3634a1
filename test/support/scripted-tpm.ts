/** A TPM that gives prepared answers in their order, in hexadecimal, and keeps what it was asked. One answer too few is an error. */
import type { TpmTransport } from '../../src/tpm/transport.ts';

export interface ScriptedTpm extends TpmTransport {
  readonly commands: readonly string[];
}

export function scriptedTpm(...answers: readonly string[]): ScriptedTpm {
  const commands: string[] = [];
  return {
    commands,
    async exchange(command) {
      const answer = answers[commands.length];
      commands.push(Buffer.from(command).toString('hex'));
      if (answer === undefined) throw new Error('the script of the TPM has ended');
      return new Uint8Array(Buffer.from(answer, 'hex'));
    },
    close() {},
  };
}
