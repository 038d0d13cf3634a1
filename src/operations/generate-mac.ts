/** GenerateMac: an HMAC computed where the key lives. */
import { assertAlgorithm } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { usableKey } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface GenerateMacInput {
  readonly Message: Uint8Array;
  readonly MacAlgorithm: string;
}

export const generateMac: Operation = defineOperation<GenerateMacInput, 'key'>({
  name: 'GenerateMac',
  action: 'GenerateMac',
  keys: usedKey,
  usage: 'GENERATE_VERIFY_MAC',
  check: (input, { keys }) => assertAlgorithm(input.MacAlgorithm, keys.key.record.keySpec, 'GENERATE_VERIFY_MAC'),
  perform: async (input, context) => {
    const { record } = context.keys.key;
    const { bound, keyStore } = usableKey(record, context);
    const mac = await keyStore.mac(bound, input.MacAlgorithm, input.Message, context.signal);
    return { Mac: mac, MacAlgorithm: input.MacAlgorithm, KeyId: keyArn(record) };
  },
});
