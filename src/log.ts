/** The log: pino, JSON lines on standard error, secrets redacted by name as a second net behind `SecretBytes`. */
import { pino } from 'pino';

/** The part of pino that the rest of the code uses. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** A log that writes JSON lines to file descriptor 2. */
export function openLog(level: LogLevel): Log {
  return pino(
    { level, redact: { paths: ['pin', '*.pin', 'secret', '*.secret', 'plaintext', '*.plaintext', 'Plaintext', '*.Plaintext'] } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** A log that drops everything, for library users who bring none. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
