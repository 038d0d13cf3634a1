/** VerifyMac: the HMAC is computed again where the key lives, and compared in constant time. A wrong one is an error, never `false`. */
import { equalConstantTime } from '../bytes.ts';
import { KmsError } from '../errors.ts';
import { assertAlgorithm } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { usableKey } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation, OperationContext } from './operation.ts';

interface VerifyMacInput {
  readonly Message: Uint8Array;
  readonly MacAlgorithm: string;
  readonly Mac: Uint8Array;
}

export const verifyMac: Operation = defineOperation<VerifyMacInput, 'key'>({
  name: 'VerifyMac',
  action: 'VerifyMac',
  keys: usedKey,
  usage: 'GENERATE_VERIFY_MAC',
  check: (input, { keys }) => assertAlgorithm(input.MacAlgorithm, keys.key.record.keySpec, 'GENERATE_VERIFY_MAC'),
  dryRun: proveMac,
  perform: async (input, context) => {
    await proveMac(input, context);
    return { KeyId: keyArn(context.keys.key.record), MacValid: true, MacAlgorithm: input.MacAlgorithm };
  },
});

async function proveMac(input: VerifyMacInput, context: OperationContext<'key'>): Promise<void> {
  const { bound, keyStore } = usableKey(context.keys.key.record, context);
  const mac = await keyStore.mac(bound, input.MacAlgorithm, input.Message, context.signal);
  if (!equalConstantTime(mac, input.Mac)) throw new KmsError('KMSInvalidMacException');
}
