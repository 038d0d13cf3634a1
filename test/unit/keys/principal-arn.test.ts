/** Which ARNs name a principal, and which callers a principal stands for. */
import { describe, expect, test } from 'vitest';
import { fullPrincipalArn, isAccountRoot, isPrincipal, isPrincipalArn } from '../../../src/keys/principal-arn.ts';

const account = '111122223333';

describe('a principal', () => {
  test.each([
    account,
    `arn:aws:iam::${account}:root`,
    `arn:aws:iam::${account}:user/alice`,
    `arn:aws:iam::${account}:user/division/alice`,
    `arn:aws:iam::${account}:role/service-role/Worker`,
    `arn:aws:sts::${account}:assumed-role/Worker/job-1`,
    `arn:aws:sts::${account}:federated-user/Bob`,
    `arn:aws-us-gov:iam::${account}:role/Worker`,
  ])('can be %s', (text) => {
    expect(isPrincipalArn(text)).toBe(true);
  });

  test.each([
    'alice',
    '11112222333',
    `arn:aws:iam::${account}:group/admins`,
    `arn:aws:iam::${account}:instance-profile/web`,
    `arn:aws:iam::${account}:policy/p`,
    `arn:aws:iam::${account}:user/`,
    `arn:aws:sts::${account}:assumed-role/Worker`,
    `arn:aws:kms:eu-central-1:${account}:key/1`,
    `arn:aws:iam::${account}:root\n`,
    'arn:aws:iam::*:root',
    '*',
  ])('cannot be %j', (text) => {
    expect(isPrincipalArn(text)).toBe(false);
  });

  test('that is 12 digits is the root of that account', () => {
    expect(fullPrincipalArn('aws-cn', account)).toBe(`arn:aws-cn:iam::${account}:root`);
    expect(fullPrincipalArn('aws', 'arn:aws:iam::1:user/a')).toBe('arn:aws:iam::1:user/a');
  });
});

describe('a caller', () => {
  const session = `arn:aws:sts::${account}:assumed-role/Worker/job-1`;

  test.each([
    [`arn:aws:iam::${account}:user/alice`, `arn:aws:iam::${account}:user/alice`, true],
    [session, session, true],
    [session, `arn:aws:iam::${account}:role/Worker`, true],
    [session, `arn:aws:iam::${account}:role/path/to/Worker`, true],
    [session, `arn:aws:iam::${account}:role/path/to/Walker`, false],
    [session, `arn:aws:iam::${account}:role/Worker/other`, false],
    [session, `arn:aws:iam::999988887777:role/Worker`, false],
    [session, `arn:aws-cn:iam::${account}:role/Worker`, false],
    [session, `arn:aws:iam::${account}:user/Worker`, false],
    [`arn:aws:iam::${account}:role/Worker`, session, false],
    [`arn:aws:iam::${account}:user/alice`, `arn:aws:iam::${account}:root`, false],
  ])('%s and the principal %s', (caller, principal, same) => {
    expect(isPrincipal(caller, principal)).toBe(same);
  });

  test('is the root of its own account only', () => {
    expect(isAccountRoot(`arn:aws:iam::${account}:root`, account)).toBe(true);
    expect(isAccountRoot(`arn:aws:iam::${account}:root`, '999988887777')).toBe(false);
    expect(isAccountRoot(`arn:aws:iam::${account}:user/root`, account)).toBe(false);
  });
});
