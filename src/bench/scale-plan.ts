/** What is measured with many keys in the store. */
import type { ScaleLayer, Workload } from './observation.ts';
import { encrypt32 } from './plan.ts';

/** Layers by number of keys. */
export const scaleLayers: Readonly<Record<number, { readonly pipeline: ScaleLayer; readonly served: ScaleLayer }>> = {
  100: { pipeline: 'keys-100', served: 'served-100' },
  10_000: { pipeline: 'keys-10000', served: 'served-10000' },
  100_000: { pipeline: 'keys-100000', served: 'served-100000' },
};

/** Whose cost must not grow with the number of keys: one hot key, and listings. */
export const flatWorkloads: readonly Workload[] = [
  encrypt32,
  { operation: 'Decrypt', bytes: 32 },
  { operation: 'DescribeKey', bytes: 0 },
  { operation: 'ListKeys', bytes: 0 },
  { operation: 'ListAliases', bytes: 0 },
];

export const pipelineWorkloads: readonly Workload[] = [
  ...flatWorkloads,
  { operation: 'Encrypt', bytes: 32, access: 'cold' },
  { operation: 'Decrypt', bytes: 32, access: 'epochs' },
];
