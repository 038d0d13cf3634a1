/**
 * The keys that AWS services have in every account: their predefined aliases, descriptions and fixed policies, and what that policy lets
 * the account do (AWS KMS Developer Guide, "AWS managed keys"). Makes no key and evaluates no policy.
 */
import { keyArn } from './arn.ts';
import { KmsError } from '../errors.ts';
import type { KeyRecord } from './key-record.ts';

/** A service with a predefined alias `alias/aws/<name>`. */
export interface AwsManagedService {
  readonly aliasName: string;
  readonly title: string;
  /** What the key protects, as its description says it. */
  readonly protects: string;
  /** First label of kms:ViaService. */
  readonly viaService: string;
}

/** Rows: name in the alias, title, what is protected, and the name in kms:ViaService where that is another one. */
const rows: readonly (readonly [name: string, title: string, protects: string, viaService?: string])[] = [
  ['acm', 'ACM', 'ACM private keys'],
  ['appflow', 'Amazon AppFlow', 'AppFlow data'],
  ['backup', 'AWS Backup', 'Backup data'],
  ['codeartifact', 'CodeArtifact', 'CodeArtifact assets'],
  ['codecommit', 'AWS CodeCommit', 'CodeCommit repositories'],
  ['dms', 'DMS', 'DMS replication instance volumes'],
  ['dynamodb', 'Amazon DynamoDB', 'DynamoDB data'],
  ['ebs', 'EBS', 'EBS volumes', 'ec2'],
  ['ecr', 'Amazon ECR', 'ECR data'],
  ['elasticfilesystem', 'EFS', 'EFS filesystems'],
  ['es', 'Elasticsearch', 'Elasticsearch data'],
  ['fsx', 'Amazon FSx', 'FSx resources'],
  ['glue', 'AWS Glue', 'Glue data'],
  ['kafka', 'Amazon MSK', 'MSK data'],
  ['kinesis', 'Kinesis', 'Kinesis data'],
  ['kinesisvideo', 'Kinesis Video Streams', 'Kinesis Video Streams data'],
  ['lambda', 'AWS Lambda', 'Lambda functions'],
  ['lightsail', 'Amazon Lightsail', 'Lightsail data'],
  ['mq', 'Amazon MQ', 'MQ data'],
  ['rds', 'RDS', 'RDS database volumes'],
  ['redshift', 'Redshift', 'Redshift clusters'],
  ['s3', 'S3', 'S3 objects'],
  ['secretsmanager', 'AWS Secrets Manager', 'Secrets Manager data'],
  ['ses', 'SES', 'SES data'],
  ['sns', 'SNS', 'SNS data'],
  ['sqs', 'SQS', 'SQS messages'],
  ['ssm', 'SSM', 'SSM parameters'],
  ['timestream', 'Amazon Timestream', 'Timestream data', 'timestream.database'],
  ['workmail', 'Amazon WorkMail', 'WorkMail data'],
  ['workspaces', 'WorkSpaces', 'WorkSpaces volumes'],
  ['xray', 'AWS X-Ray', 'X-Ray data'],
];

/** By alias name, in order of it. */
export const awsManagedServices: ReadonlyMap<string, AwsManagedService> = new Map(
  rows.map(([name, title, protects, viaService = name]) => [
    `alias/aws/${name}`,
    { aliasName: `alias/aws/${name}`, title, protects, viaService },
  ]),
);

/** IAM actions, without `kms:`, that the fixed policies allow: to the account, or through the service on behalf of its principals. */
const PERMITTED = /^(?:Describe|Get|List|Encrypt$|Decrypt$|ReEncrypt|GenerateDataKey|CreateGrant$|RevokeGrant$|RetireGrant$)/;

/**
 * Throws KmsError AccessDeniedException for what nobody may do to an AWS managed key: change, disable, tag, rotate or delete it. The words
 * are those for a key policy that allows the action to nobody.
 */
export function assertPermittedByManager(key: KeyRecord, action: string, principalArn: string): void {
  if (key.keyManager !== 'AWS' || PERMITTED.test(action)) return;
  throw new KmsError(
    'AccessDeniedException',
    `User: ${principalArn} is not authorized to perform: kms:${action} on resource: ${keyArn(key)} ` +
      `because no resource-based policy allows the kms:${action} action`,
  );
}

export function awsManagedKeyDescription({ protects }: AwsManagedService): string {
  return `Default key that protects my ${protects} when no other key is defined`;
}

/** The policy of a service's key: use through the service by all who may use the service, and a look at it by the account. */
export function awsManagedKeyPolicy(
  { aliasName, title, viaService }: AwsManagedService,
  { partition, account, region }: Pick<KeyRecord, 'partition' | 'account' | 'region'>,
): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "auto-${aliasName.replace('alias/aws/', '')}-1",
  "Statement" : [ {
    "Sid" : "Allow access through ${title} for all principals in the account that are authorized to use ${title}",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "${account}",
        "kms:ViaService" : "${viaService}.${region}.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:${partition}:iam::${account}:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`;
}
