/** Asks a person for a secret at the terminal, without echo, whatever standard input is. */
import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { SecretBytes } from '../secret-bytes.ts';
import { CommandError, say } from './terminal.ts';

const secretBytesMax = 1_024;
const keys = { interrupt: 0x03, endOfInput: 0x04, backspace: 0x08, newline: 0x0a, enter: 0x0d, delete: 0x7f } as const;

/** What was typed up to the end of the line. Rejects with CommandError when there is no terminal or the person interrupts. */
export function askSecret(what: string): Promise<SecretBytes> {
  const terminal = openTerminal(what);
  say(`type the ${what} and press Enter; it is not shown`);
  terminal.setRawMode(true);
  return new Promise<SecretBytes>((resolve, reject) => {
    const typed = new Uint8Array(secretBytesMax);
    let length = 0;
    terminal.on('data', (chunk: Buffer) => {
      for (const key of chunk) {
        if (key === keys.enter || key === keys.newline || key === keys.endOfInput) return resolve(new SecretBytes(typed.slice(0, length)));
        if (key === keys.interrupt) return reject(new CommandError('interrupted'));
        if (key === keys.backspace || key === keys.delete) length = Math.max(0, length - 1);
        else if (length < secretBytesMax) typed[length++] = key;
      }
    });
    terminal.on('error', reject);
  }).finally(() => {
    terminal.setRawMode(false);
    terminal.destroy();
  });
}

function openTerminal(what: string): ReadStream {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch (error) {
    throw new CommandError(`the ${what} is to be typed, and there is no terminal`, {
      hints: ['give it as a file that only this user can read'],
      cause: error,
    });
  }
}
