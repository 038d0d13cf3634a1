import { describe, expect, it } from 'vitest';
import { isRegionName, partitionOf } from '../../../src/keys/partition.ts';

describe('Regions and partitions', () => {
  it.each([
    ['eu-central-1', 'aws'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['cn-northwest-1', 'aws-cn'],
  ])('%s belongs to %s', (region, partition) => {
    expect(isRegionName(region)).toBe(true);
    expect(partitionOf(region)).toBe(partition);
  });

  it.each(['', 'eu', 'eu-central', 'EU-CENTRAL-1', 'eu-central-1/kms', `eu-${'a'.repeat(40)}-1`, 'eu--1'])(
    '%j is no name of a Region',
    (text) => {
      expect(isRegionName(text)).toBe(false);
    },
  );
});
