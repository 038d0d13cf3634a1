/** The key policy of a key that was made without one, and the form every key policy must have (kms-api.md 5.8). Evaluates nothing. */
import { KmsError } from '../errors.ts';

/** Longest key policy, in bytes of UTF-8. */
export const policyBytesMax = 32_768;

/** The default key policy: the account may do everything, and may delegate by IAM policies. Formatted as GetKeyPolicy shows it. */
export function defaultKeyPolicy(partition: string, account: string): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:${partition}:iam::${account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`;
}

/** Checks that a policy text can be kept. Throws KmsError: LimitExceededException, MalformedPolicyDocumentException. */
export function assertPolicyDocument(policy: string): void {
  if (Buffer.byteLength(policy, 'utf8') > policyBytesMax) {
    throw new KmsError('LimitExceededException', `The key policy is longer than the limit of ${policyBytesMax} bytes.`);
  }
  const document = parseJson(policy);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw malformed('The policy is not a JSON object.');
  const { Version: version, Statement: statement } = document as { readonly Version?: unknown; readonly Statement?: unknown };
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') throw malformed('The policy has an unknown Version.');
  if (typeof statement !== 'object' || statement === null) throw malformed('The policy has no Statement.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed('The policy is not valid JSON.', error);
  }
}

function malformed(text: string, cause?: unknown): KmsError {
  return new KmsError('MalformedPolicyDocumentException', text, { cause });
}
