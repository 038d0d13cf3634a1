/**
 * Requests that no AWS service has: what a test asks of the service itself, through the same listener and the same checks of the
 * sender. There are none unless the composition root gives some.
 */
import { KmsError } from '../errors.ts';
import type { OperationOutput } from '../operations/operation.ts';

/** `X-Amz-Target` of an administrative request is this and its name. */
export const administrationPrefix = 'HsmKms.';

/** Administrative requests by name. Each rejects with KmsError. */
export type Administration = ReadonlyMap<string, (input: Readonly<Record<string, unknown>>) => Promise<OperationOutput>>;

const msPerUnit: Readonly<Record<string, number>> = { Seconds: 1_000, Days: 86_400_000 };

/** What `MoveClock` needs. */
export interface MovableTime {
  nowMs(): number;
  /** Throws RangeError for a move that is not possible. */
  advance(ms: number): void;
  /** Does the scheduled work that is due now. */
  sweep(): Promise<void>;
}

/** `MoveClock` {Seconds, Days}: moves the time forward by their sum, does what is due then, and answers {Now}. */
export function clockAdministration(time: MovableTime): Administration {
  const moveClock = async (input: Readonly<Record<string, unknown>>): Promise<OperationOutput> => {
    let ms = 0;
    for (const [unit, count] of Object.entries(input)) ms += inMs(unit, count);
    try {
      time.advance(ms);
    } catch (error) {
      throw new KmsError('ValidationException', (error as Error).message, { cause: error });
    }
    await time.sweep();
    return { Now: new Date(time.nowMs()) };
  };
  return new Map([['MoveClock', moveClock]]);
}

function inMs(unit: string, count: unknown): number {
  const perUnit = msPerUnit[unit];
  if (perUnit === undefined || typeof count !== 'number') {
    throw new KmsError('ValidationException', 'MoveClock takes the numbers Seconds and Days.');
  }
  return count * perUnit;
}
