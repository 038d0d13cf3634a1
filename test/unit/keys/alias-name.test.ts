import { describe, expect, test } from 'vitest';
import { assertCustomerAliasName } from '../../../src/keys/alias-name.ts';
import { refusal } from '../../support/kms-fixture.ts';

describe('alias names', () => {
  test('of customers are accepted', () => {
    for (const name of ['alias/a', 'alias/awsome', 'alias/app/prod_1-x']) expect(() => assertCustomerAliasName(name)).not.toThrow();
  });

  test('must begin with alias/', () => {
    const text =
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html';
    expect(() => assertCustomerAliasName('a')).toThrow(expect.objectContaining(refusal('ValidationException', text)));
  });

  test.each([
    ['alias/', 'InvalidAliasNameException'],
    ['alias/aws/s3', 'NotAuthorizedException'],
    ['alias/a:b', 'ValidationException'],
  ])('%s is %s', (name, code) => {
    expect(() => assertCustomerAliasName(name)).toThrow(expect.objectContaining({ code }));
  });
});
