/** A grant as ListGrants and ListRetirableGrants answer it (kms-api.md 5.7 and 10.3). */
import { keyArn } from '../../keys/arn.ts';
import { accountRootArn } from '../../keys/principal-arn.ts';
import type { GrantConstraints, GrantPrincipal, GrantRecord } from '../../keys/grant-record.ts';

/** GrantListEntry; dates as Date. Token key and request digest stay inside. */
export function grantListEntry(grant: GrantRecord): Readonly<Record<string, unknown>> {
  return {
    KeyId: keyArn(grant.key),
    GrantId: grant.grantId,
    Name: grant.name,
    CreationDate: new Date(grant.createdAtMs),
    ...principalMember('Grantee', grant.grantee),
    ...(grant.retiring !== undefined && principalMember('Retiring', grant.retiring)),
    IssuingAccount: accountRootArn(grant.key.partition, grant.issuingAccount),
    Operations: grant.operations,
    ...(grant.constraints !== undefined && { Constraints: constraintMembers(grant.constraints) }),
  };
}

function principalMember(role: 'Grantee' | 'Retiring', { kind, name }: GrantPrincipal): object {
  return { [kind === 'service' ? `${role}ServicePrincipal` : `${role}Principal`]: name };
}

function constraintMembers({ encryptionContextEquals, encryptionContextSubset, sourceArn }: GrantConstraints): object {
  return {
    ...(encryptionContextEquals !== undefined && { EncryptionContextEquals: encryptionContextEquals }),
    ...(encryptionContextSubset !== undefined && { EncryptionContextSubset: encryptionContextSubset }),
    ...(sourceArn !== undefined && { SourceArn: sourceArn }),
  };
}
