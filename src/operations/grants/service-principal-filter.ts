/** The filters by service principal, which only service principals may use (API reference of ListGrants and ListRetirableGrants). */
import { KmsError } from '../../errors.ts';
import type { Caller } from '../operation.ts';

/** The refusal for every caller of this service: none of them is a service principal. `action` without `kms:`. */
export function servicePrincipalFilterDenied(caller: Caller, action: string): KmsError {
  return new KmsError(
    'AccessDeniedException',
    `User: ${caller.principalArn} is not authorized to perform: kms:${action} with a service principal filter, which is for service principals only`,
  );
}
