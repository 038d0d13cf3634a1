/** What an alias may be called (kms-api.md 1.3 and 5.4). The character set and length are in the API tables. */
import { KmsError } from '../errors.ts';

const PREFIX = 'alias/';
const RESERVED_PREFIX = 'alias/aws/';
const HELP = 'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html';

/**
 * Checks the name of an alias that a customer makes, changes or deletes.
 * Throws KmsError: ValidationException for a missing prefix, InvalidAliasNameException for an empty name,
 * NotAuthorizedException for the names that are reserved to AWS services.
 */
export function assertCustomerAliasName(aliasName: string): void {
  if (!aliasName.startsWith(PREFIX)) {
    throw new KmsError('ValidationException', `Alias must start with the prefix "alias/". Please see ${HELP}`);
  }
  if (aliasName.length === PREFIX.length) {
    throw new KmsError('InvalidAliasNameException', 'The alias name must have at least one character after "alias/".');
  }
  if (aliasName.startsWith(RESERVED_PREFIX)) {
    throw new KmsError('NotAuthorizedException', 'Alias names that begin with "alias/aws/" are reserved for AWS services.');
  }
  if (aliasName.includes(':')) {
    throw new KmsError('ValidationException', `${aliasName} contains invalid characters for an alias`);
  }
}
