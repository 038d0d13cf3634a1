/** Has the keys made under which materials of multi-Region keys pass between tokens, with the SO PINs that only operators have. */
import type { TokenConfig } from '../config/config.ts';
import { transportFingerprint } from '../keystore/pinned-peers.ts';
import { silentLog } from '../log.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import type { PinLatch } from '../token/pin-latch.ts';
import { provisionTransportKeys } from '../token/transport-keys.ts';
import { lender } from './token-pins.ts';

export interface TokenWithPins {
  readonly token: TokenConfig;
  readonly pin: SecretBytes;
  readonly soPin: SecretBytes;
}

/** Resolves to the fingerprint by which key stores on these tokens pin each other. Rejects with TokenError that says what is wrong. */
export async function makeTransportKeys(tokens: readonly TokenWithPins[], pinLatch: PinLatch): Promise<string> {
  const participants = tokens.map(({ token, pin, soPin }) => ({
    config: token,
    log: silentLog,
    pinLatch,
    pin: lender(pin),
    soPin: lender(soPin),
  }));
  return transportFingerprint(await provisionTransportKeys(participants));
}
