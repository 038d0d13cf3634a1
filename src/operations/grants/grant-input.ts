/** What CreateGrant takes: the rules between its members, and the grant that they come to (kms-api.md 1.5 and 5.7). */
import { createHash } from 'node:crypto';
import { invalid } from '../../api/violations.ts';
import { KmsError } from '../../errors.ts';
import { keyArn } from '../../keys/arn.ts';
import { grantableOperations } from '../../keys/grant-record.ts';
import { fullPrincipalArn, isPrincipalArn } from '../../keys/principal-arn.ts';
import type { GrantConstraints, GrantPrincipal, GrantRecord } from '../../keys/grant-record.ts';
import type { KeyRecord } from '../../keys/key-record.ts';

export interface CreateGrantInput {
  readonly GranteePrincipal?: string;
  readonly GranteeServicePrincipal?: string;
  readonly RetiringPrincipal?: string;
  readonly RetiringServicePrincipal?: string;
  readonly Operations: readonly string[];
  readonly Constraints?: ConstraintsInput;
  readonly Name?: string;
}

interface ConstraintsInput {
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>;
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>;
  readonly SourceArn?: string;
}

/** What a request says of a grant. */
export type RequestedGrant = Pick<GrantRecord, 'name' | 'grantee' | 'retiring' | 'operations' | 'constraints' | 'requestDigest'>;

const PAIRS_MAX = 8;
const VALUE_CHARACTERS_MAX = 384;

/** Throws KmsError: ValidationException, or InvalidArnException for a principal that no grant can name. */
export function validateCreateGrant(input: CreateGrantInput): void {
  if ((input.GranteePrincipal === undefined) === (input.GranteeServicePrincipal === undefined)) {
    throw invalid('You must specify either GranteePrincipal or GranteeServicePrincipal, but not both.');
  }
  if (input.RetiringPrincipal !== undefined && input.RetiringServicePrincipal !== undefined) {
    throw invalid('You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.');
  }
  for (const principal of [input.GranteePrincipal, input.RetiringPrincipal]) {
    if (principal !== undefined) assertPrincipalArn(principal);
  }
  if (input.Operations.length === 0) throw invalid('A grant must permit at least one operation.');
  validateServiceGrantee(input);
  validateConstraints(input.Constraints ?? {});
}

/** Throws KmsError InvalidArnException. */
export function assertPrincipalArn(principal: string): void {
  if (!isPrincipalArn(principal)) throw new KmsError('InvalidArnException', `ARN does not refer to a valid principal: ${principal}`);
}

/** Throws KmsError ValidationException for operations and constraints that the key cannot have. */
export function checkGrantOnKey(input: CreateGrantInput, key: KeyRecord): void {
  const grantable = grantableOperations(key);
  const refused = input.Operations.filter((operation) => !grantable.includes(operation));
  if (refused.length > 0) {
    throw invalid(`${keyArn(key)} key spec is ${key.keySpec} and key usage is ${key.keyUsage}: it does not support ${refused.join(', ')}.`);
  }
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = input.Constraints ?? {};
  if (key.keySpec !== 'SYMMETRIC_DEFAULT' && (equals !== undefined || subset !== undefined)) {
    throw invalid('Encryption context constraints are supported only on symmetric encryption KMS keys.');
  }
}

/** The grant that a validated request asks for on `key`. */
export function requestedGrant(input: CreateGrantInput, key: KeyRecord): RequestedGrant {
  const retiring = principalOf(key.partition, input.RetiringPrincipal, input.RetiringServicePrincipal);
  const constraints = constraintsOf(input.Constraints ?? {});
  const grant = {
    name: input.Name ?? '',
    grantee: principalOf(key.partition, input.GranteePrincipal, input.GranteeServicePrincipal) as GrantPrincipal,
    ...(retiring !== undefined && { retiring }),
    operations: [...new Set(input.Operations)],
    ...(Object.keys(constraints).length > 0 && { constraints }),
  };
  return { ...grant, ...(input.Name !== undefined && { requestDigest: digestOf(grant) }) };
}

function validateServiceGrantee(input: CreateGrantInput): void {
  if (input.GranteeServicePrincipal === undefined) return;
  if (input.Constraints?.SourceArn === undefined) throw invalid('A grant to a service principal must have a SourceArn constraint.');
  if (input.RetiringPrincipal === undefined && input.RetiringServicePrincipal === undefined) {
    throw invalid('A grant to a service principal must have a retiring principal.');
  }
}

function validateConstraints({ EncryptionContextEquals: equals, EncryptionContextSubset: subset }: ConstraintsInput): void {
  if (equals !== undefined && subset !== undefined) {
    throw invalid('A grant can have either an EncryptionContextEquals or an EncryptionContextSubset constraint, but not both.');
  }
  const pairs = equals ?? subset ?? {};
  if (Object.keys(pairs).length > PAIRS_MAX) throw invalid(`A grant constraint can have at most ${PAIRS_MAX} encryption context pairs.`);
  if (Object.values(pairs).some((value) => value.length > VALUE_CHARACTERS_MAX)) {
    throw invalid(`An encryption context value in a grant constraint can have at most ${VALUE_CHARACTERS_MAX} characters.`);
  }
}

function principalOf(partition: string, arn: string | undefined, service: string | undefined): GrantPrincipal | undefined {
  if (service !== undefined) return { kind: 'service', name: service };
  return arn === undefined ? undefined : { kind: 'iam', name: fullPrincipalArn(partition, arn) };
}

/** Decoded maps have no prototype; records are plain objects. */
function constraintsOf({
  EncryptionContextEquals: equals,
  EncryptionContextSubset: subset,
  SourceArn,
}: ConstraintsInput): GrantConstraints {
  return {
    ...(equals !== undefined && { encryptionContextEquals: { ...equals } }),
    ...(subset !== undefined && { encryptionContextSubset: { ...subset } }),
    ...(SourceArn !== undefined && { sourceArn: SourceArn }),
  };
}

/** Equal for equal requests, whatever the order of their operations and pairs. */
function digestOf({ name, grantee, retiring, operations, constraints }: RequestedGrant): string {
  const said = [
    name,
    [grantee.kind, grantee.name],
    retiring && [retiring.kind, retiring.name],
    operations.toSorted(),
    [sortedPairs(constraints?.encryptionContextEquals), sortedPairs(constraints?.encryptionContextSubset), constraints?.sourceArn],
  ];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

function sortedPairs(map: Readonly<Record<string, string>> | undefined): unknown {
  return map && Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
