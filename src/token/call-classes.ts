/** How calls are carried out: thread class and deadline of each kind of call, from the configuration of the token. */
import type { TokenConfig } from '../config/config.ts';
import type { CallOptions } from './cryptoki.ts';

export interface CallClasses {
  /** Encrypt, decrypt, sign, random: microseconds on SoftHSM. */
  readonly fast: CallOptions;
  /** Makes and destroys session objects, in the session that is never lent. */
  readonly anchor: CallOptions;
  /** Generates and unwraps into the anchor session, which may take as long as a private key operation. */
  readonly anchorSlow: CallOptions;
  /** Searches, and makes token objects. */
  readonly slow: CallOptions;
  /** Generates key pairs, session objects too: the anchor is not held up for as long as that takes. */
  readonly keyGeneration: CallOptions;
  /** Loading, opening sessions, logging in. */
  readonly start: CallOptions;
}

/** The classes of one token. */
export function callClasses(deadlinesMs: TokenConfig['deadlinesMs']): CallClasses {
  return {
    fast: { threads: 'fast', deadlineMs: deadlinesMs.fast },
    anchor: { threads: 'anchor', deadlineMs: deadlinesMs.fast },
    anchorSlow: { threads: 'anchor', deadlineMs: deadlinesMs.slow },
    slow: { threads: 'slow', deadlineMs: deadlinesMs.slow },
    keyGeneration: { threads: 'slow', deadlineMs: deadlinesMs.keyGeneration },
    start: { threads: 'slow', deadlineMs: deadlinesMs.start },
  };
}
