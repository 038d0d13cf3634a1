/** What is measured with many keys in the store. */
import type { ScaleLayer, Workload } from './observation.ts';
import { encrypt32 } from './plan.ts';

/** Layers by number of keys. */
export const scaleLayers: Readonly<Record<number, ScaleLayer>> = { 100: 'keys-100', 10_000: 'keys-10000', 100_000: 'keys-100000' };

export const scaleWorkloads: readonly Workload[] = [
  encrypt32,
  { operation: 'Encrypt', bytes: 32, access: 'cold' },
  { operation: 'Decrypt', bytes: 32 },
  { operation: 'Decrypt', bytes: 32, access: 'epochs' },
  { operation: 'DescribeKey', bytes: 0 },
  { operation: 'ListKeys', bytes: 0 },
  { operation: 'ListAliases', bytes: 0 },
];
