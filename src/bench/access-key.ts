/** The access key of the benchmark's own daemon: made for one run, kept in one private file. */
import { randomBytes } from 'node:crypto';

export const benchAccount = '000000000000';
export const benchPrincipalArn: string = `arn:aws:iam::${benchAccount}:root`;

export interface AccessKeyFile {
  readonly accessKeyId: string;
  /** Content of a credentials file. */
  readonly text: string;
}

export function newAccessKey(): AccessKeyFile {
  const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const secretAccessKey = randomBytes(30).toString('base64');
  return { accessKeyId, text: JSON.stringify({ credentials: [{ accessKeyId, secretAccessKey, principalArn: benchPrincipalArn }] }) };
}
