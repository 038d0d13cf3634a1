/** Throw-away SoftHSM and NSS tokens in service behind the token host, with the keys that `hsm-kms token init` makes. */
import type { TokenConfig } from '../../src/config/config.ts';
import { silentLog } from '../../src/log.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { openToken } from '../../src/token/open-token.ts';
import type { PinLatch } from '../../src/token/pin-latch.ts';
import { provisionWrappingKeys } from '../../src/token/service-keys.ts';
import type { Token } from '../../src/token/token.ts';
import type { ProvisionedToken } from './softhsm.ts';

export interface RealToken {
  readonly token: Token;
  close(): Promise<void>;
}

export function configOf(provisioned: ProvisionedToken, isolation: TokenConfig['isolation']): TokenConfig {
  const { module, environment, reserved, label } = provisioned;
  return {
    name: label,
    profile: 'test',
    module,
    functionList: 'C',
    initialize: { nullArguments: false, osLocking: true, reserved },
    environment,
    label,
    serial: undefined,
    pin: { kind: 'prompt' },
    isolation,
    threads: { fast: 2, anchor: 1, slow: 1 },
    deadlinesMs: { fast: 5_000, slow: 10_000, keyGeneration: 60_000, start: 20_000 },
    graceMs: 500,
    epochKeysMax: 64,
    deepBind: true,
    gcmIvSource: 'measure',
    omitAttributes: [],
  };
}

export function memoryLatch(): PinLatch {
  const reasons = new Map<string, string>();
  return {
    isSet: (key) => reasons.get(key),
    set: async (key, reason) => void reasons.set(key, reason),
    clear: (key) => void reasons.delete(key),
  };
}

export const copyOf = (secret: SecretBytes): Promise<SecretBytes> =>
  Promise.resolve(secret.expose((bytes) => new SecretBytes(Uint8Array.from(bytes))));

/** `securityOfficer`: the wrapping key is marked TRUSTED, where the token knows that role. */
export async function openRealToken(
  provisioned: ProvisionedToken,
  securityOfficer: boolean,
  isolation: TokenConfig['isolation'] = 'process',
): Promise<RealToken> {
  const config = configOf(provisioned, isolation);
  const secrets = { log: silentLog, pin: () => copyOf(provisioned.pin), pinLatch: memoryLatch() };
  await provisionWrappingKeys(config, { ...secrets, soPin: securityOfficer ? () => copyOf(provisioned.soPin) : undefined });
  const token = await openToken(config, secrets);
  return {
    token,
    close: async () => {
      await token.close();
      provisioned.remove();
    },
  };
}
