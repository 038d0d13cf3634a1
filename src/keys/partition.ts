/** Names of Regions, and which AWS partition a Region belongs to by its name. */

const REGION_NAME = /^[a-z]{2,4}(-[a-z]{1,12}){1,3}-\d{1,2}$/;

/** True when the text has the form of a Region's name, for example `eu-central-1` or `us-gov-west-1`. */
export function isRegionName(text: string): boolean {
  return text.length <= 32 && REGION_NAME.test(text);
}

/** The partition of a Region: `aws-cn`, `aws-us-gov` or `aws`. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
