/** Has the keys made that a token needs before it can keep materials outside, with the SO PIN that only an operator has. */
import type { TokenConfig } from '../config/config.ts';
import { silentLog } from '../log.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import type { PinLatch } from '../token/pin-latch.ts';
import { type ProvisioningReport, provisionWrappingKeys } from '../token/service-keys.ts';
import { lender } from './token-pins.ts';

/** Makes what is missing. `soPin` is undefined for a token without that role. Rejects with TokenError that says what is wrong. */
export function makeWrappingKey(
  token: TokenConfig,
  pins: { readonly pin: SecretBytes; readonly soPin: SecretBytes | undefined },
  pinLatch: PinLatch,
): Promise<ProvisioningReport> {
  const { pin, soPin } = pins;
  return provisionWrappingKeys(token, { log: silentLog, pinLatch, pin: lender(pin), soPin: soPin && lender(soPin) });
}
