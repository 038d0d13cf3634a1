/** Brings one token of the configuration into service: connects, measures what it can do, and keeps it in service from then on. */
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { TokenConfig } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import { callClasses } from './call-classes.ts';
import { measureCapabilities } from './capabilities/measure-capabilities.ts';
import type { Cryptoki } from './cryptoki.ts';
import { openHostCryptoki } from './host/host-door.ts';
import { openInProcessCryptoki } from './native.ts';
import type { PinLatch } from './pin-latch.ts';
import { Recovery } from './recovery.ts';
import type { RecoveryParts } from './recovery.ts';
import { ServedToken } from './served-token.ts';
import { throwTokenError } from './token-error.ts';
import { systemTimers } from './timers.ts';
import type { Timers } from './timers.ts';
import type { Token } from './token.ts';

/** What a token needs besides its configuration. */
export interface TokenDependencies {
  readonly log: Log;
  /** Fetches the PIN, at every login. The bytes are wiped afterwards: each call must hand over a copy of its own. */
  readonly pin: () => Promise<SecretBytes>;
  readonly pinLatch: PinLatch;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** Opens the door to the module. Default: a token host, or the addon in this process, as `isolation` says. */
  readonly openCryptoki?: (config: TokenConfig) => Promise<Cryptoki>;
}

/** The door that `isolation` asks for. */
export function openConfiguredCryptoki({ isolation, environment }: TokenConfig): Promise<Cryptoki> {
  return isolation === 'process' ? openHostCryptoki({ environment }) : openInProcessCryptoki({ environment });
}

/** Connects to the token and measures it. Rejects with TokenError when it cannot be brought into service; nothing is left running then. */
export async function openToken(config: TokenConfig, dependencies: TokenDependencies): Promise<Token> {
  const { log, pin, pinLatch, clock = systemClock, timers = systemTimers, openCryptoki = openConfiguredCryptoki } = dependencies;
  const calls = callClasses(config.deadlinesMs);
  const parts: RecoveryParts = { config, calls, log, pin, pinLatch, clock, timers, openCryptoki };
  const recovery = await Recovery.start(parts);
  const { cryptoki, slot, module } = recovery.connection;
  try {
    const startedMs = clock.monotonicMs();
    const capabilities = await measureCapabilities(cryptoki, calls, config.gcmIvSource);
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    log.info(
      { token: config.name, slot: slot.label, serial: slot.serial, isolation: config.isolation, module, capabilities, tookMs },
      'the token is in service',
    );
    return new ServedToken(recovery, capabilities, parts);
  } catch (error) {
    await recovery.close();
    return throwTokenError(error);
  }
}
